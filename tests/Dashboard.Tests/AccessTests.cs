using System.Net;
using System.Net.Http.Headers;
using ElectraPipeline.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ElectraPipeline.Dashboard.Tests;

public sealed class AccessTests(PostgresFixture postgres)
{
    private const string Token = "a-token-of-enough-characters";

    [Fact]
    public async Task Token_opens_the_api_by_header_and_the_pages_by_login()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres, $" {Token}\n"); // as read from a file
        Assert.Equal(HttpStatusCode.Unauthorized, await ApiAsync(dashboard, "a-wrong-token-of-same-size"));
        Assert.Equal(HttpStatusCode.OK, await ApiAsync(dashboard, Token));

        HttpResponseMessage wrong = await dashboard.PostFromAsync(
            "/login",
            "/login",
            ("secret", "wrong"),
            ("name", "Ada"),
            ("returnUrl", "/runs")
        );
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        HttpResponseMessage login = await dashboard.PostFromAsync(
            "/login",
            "/login",
            ("secret", Token),
            ("name", "Ada"),
            ("returnUrl", "//elsewhere.example")
        );
        Assert.Equal("/runs", login.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.OK, (await dashboard.Visitor.GetAsync("/runs")).StatusCode);
    }

    [Fact]
    public async Task Without_a_token_only_this_machine_is_answered()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres);
        using var rebound = new HttpRequestMessage(HttpMethod.Get, "/runs") { Headers = { Host = "attacker.example" } };
        Assert.Equal(HttpStatusCode.Forbidden, (await dashboard.Visitor.SendAsync(rebound)).StatusCode);
        using var proxied = new HttpRequestMessage(HttpMethod.Get, "/runs") { Headers = { { "X-Forwarded-For", "203.0.113.9" } } };
        Assert.Equal(HttpStatusCode.Forbidden, (await dashboard.Visitor.SendAsync(proxied)).StatusCode);
        Assert.Throws<DashboardOptionsException>(() =>
            new ServiceCollection().AddElectraDashboard(new DashboardOptions { Address = "*", AccessToken = null })
        );
    }

    private static async Task<HttpStatusCode> ApiAsync(RunningDashboard dashboard, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/runs");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return (await dashboard.Visitor.SendAsync(request)).StatusCode;
    }
}
