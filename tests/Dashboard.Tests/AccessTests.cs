using System.Net;
using System.Net.Http.Headers;
using ElectraPipeline.TestSupport;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ElectraPipeline.Dashboard.Tests;

public sealed class AccessTests(PostgresFixture postgres)
{
    private const string Token = "a-token-of-enough-characters";

    private static readonly string[] _open = ["/assets/{name}", "/health", "/login"];

    [Fact]
    public async Task Only_assets_health_and_login_are_open_when_a_token_is_required()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres, Token);
        Assert.NotEmpty(dashboard.Routes);
        var open = dashboard.Routes.Where(route => route.Metadata.GetMetadata<IAllowAnonymous>() is not null)
            .Select(route => route.RoutePattern.RawText!).Distinct();
        Assert.Equal(_open, open.Order());

        foreach (string page in new[] { "/runs", "/schedules", "/hangfire", "/nowhere" })
        {
            HttpResponseMessage answer = await dashboard.Visitor.GetAsync(page);
            Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
            Assert.Contains("/login", answer.Headers.Location!.OriginalString);
        }

        Assert.Equal(HttpStatusCode.Unauthorized, (await dashboard.Visitor.GetAsync("/api/runs")).StatusCode);
    }

    [Fact]
    public async Task Token_opens_the_api_by_header_and_the_pages_by_login()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres, Token);
        Assert.Equal(HttpStatusCode.Unauthorized, await ApiAsync(dashboard, "a-wrong-token-of-same-size"));
        Assert.Equal(HttpStatusCode.OK, await ApiAsync(dashboard, Token));

        HttpResponseMessage wrong = await dashboard.PostFromAsync("/login", "/login", ("secret", "wrong"), ("name", "Ada"), ("returnUrl", "/runs"));
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        HttpResponseMessage login = await dashboard.PostFromAsync(
            "/login", "/login", ("secret", Token), ("name", "Ada"), ("returnUrl", "//elsewhere.example"));
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
        Assert.Throws<DashboardOptionsException>(
            () => new ServiceCollection().AddElectraDashboard(new DashboardOptions { Address = "*", AccessToken = null }));
    }

    [Fact]
    public async Task Pages_forbid_foreign_scripts_and_frames()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres);
        HttpResponseMessage answer = await dashboard.Visitor.GetAsync("/runs");
        string policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("script-src 'self';", policy);
        Assert.Contains("frame-ancestors 'none'", policy);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("DENY", Assert.Single(answer.Headers.GetValues("X-Frame-Options")));
        Assert.False(answer.Headers.Contains("Server"));
    }

    private static async Task<HttpStatusCode> ApiAsync(RunningDashboard dashboard, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/runs");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return (await dashboard.Visitor.SendAsync(request)).StatusCode;
    }
}
