using System.Net;
using System.Text.RegularExpressions;
using ElectraPipeline.Dashboard.Security;
using ElectraPipeline.TestSupport;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Xunit;

namespace ElectraPipeline.Dashboard.Tests;

/// <summary>Every route that there is, so also one that is added later without a thought of these.</summary>
public sealed partial class RouteTests(PostgresFixture postgres)
{
    private const string Password = "correct horse battery";

    private static readonly string[] Open = ["/assets/{name}", "/health", "/login"];

    // Whoever may look may also leave.
    private static readonly string[] ForViewersToo = ["/login", "/logout"];

    [Fact]
    public async Task No_route_is_without_a_policy_but_assets_health_and_login()
    {
        await using RunningDashboard dashboard = await StartAsync("viewer");
        Assert.InRange(dashboard.Routes.Count(), 20, 200);
        Assert.Equal(dashboard.Endpoints.Count, dashboard.Routes.Count());
        foreach (RouteEndpoint route in dashboard.Routes)
        {
            bool isOpen = route.Metadata.GetMetadata<IAllowAnonymous>() is not null;
            bool isGuarded = route.Metadata.GetMetadata<IAuthorizeData>() is { Policy: "electra" };
            Assert.True(isOpen ? Open.Contains(route.RoutePattern.RawText) : isGuarded, $"{route.DisplayName} stands under no policy");
        }
    }

    [Fact]
    public async Task A_stranger_is_answered_by_no_other_route()
    {
        await using RunningDashboard dashboard = await StartAsync("viewer");
        foreach (RouteEndpoint route in dashboard.Routes.Where(route => !Open.Contains(route.RoutePattern.RawText)))
        {
            using var request = new HttpRequestMessage(new HttpMethod(MethodsOf(route)[0]), SamplePath(route));
            HttpResponseMessage answer = await dashboard.Visitor.SendAsync(request);
            bool isSentToLogin =
                answer.StatusCode == HttpStatusCode.Redirect
                && answer.Headers.Location!.PathAndQuery.StartsWith("/login?", StringComparison.Ordinal);
            Assert.True(
                isSentToLogin || answer.StatusCode == HttpStatusCode.Unauthorized,
                $"{request.Method} {request.RequestUri} answered {answer.StatusCode}"
            );
        }
    }

    [Fact]
    public async Task Every_post_needs_an_operator()
    {
        await using RunningDashboard dashboard = await StartAsync("viewer");
        Assert.Equal(HttpStatusCode.Redirect, (await dashboard.LoginAsync("somebody", Password)).StatusCode);
        foreach (RouteEndpoint route in Posts(dashboard).Where(route => !ForViewersToo.Contains(route.RoutePattern.RawText)))
        {
            HttpResponseMessage answer = await dashboard.PostFromAsync("/runs", SamplePath(route));
            Assert.True(answer.StatusCode == HttpStatusCode.Forbidden, $"POST {SamplePath(route)} answered {answer.StatusCode}");
        }
    }

    [Fact]
    public async Task Every_post_needs_the_antiforgery_token()
    {
        await using RunningDashboard dashboard = await StartAsync("operator");
        Assert.Equal(HttpStatusCode.Redirect, (await dashboard.LoginAsync("somebody", Password)).StatusCode);
        foreach (RouteEndpoint route in Posts(dashboard))
        {
            HttpResponseMessage answer = await dashboard.Visitor.PostAsync(
                SamplePath(route),
                Form(("secret", "s"), ("name", "n"), ("returnUrl", "/"))
            );
            Assert.True(answer.StatusCode == HttpStatusCode.BadRequest, $"POST {SamplePath(route)} answered {answer.StatusCode}");
            Assert.Contains("antiforgery token is missing", await answer.Content.ReadAsStringAsync());
        }

        HttpResponseMessage hangfire = await dashboard.Visitor.PostAsync("/hangfire/jobs/failed/requeue", Form(("jobs[]", "1")));
        Assert.False(hangfire.IsSuccessStatusCode, $"Hangfire answered {hangfire.StatusCode}");
        HttpResponseMessage same = await dashboard.PostFromAsync("/runs", "/hangfire/jobs/failed/requeue", ("jobs[]", "1"));
        Assert.True(same.IsSuccessStatusCode, $"Hangfire answered {same.StatusCode} to a command with the token");
    }

    private static IReadOnlyList<string> MethodsOf(RouteEndpoint route) =>
        route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is { Count: > 0 } methods ? methods : ["GET"];

    private static List<RouteEndpoint> Posts(RunningDashboard dashboard)
    {
        var posts = dashboard.Routes.Where(route => MethodsOf(route).Except(["GET"]).Any()).ToList();
        Assert.InRange(posts.Count, 8, 100);
        Assert.All(posts, route => Assert.Equal(["POST"], MethodsOf(route)));
        return posts;
    }

    private static FormUrlEncodedContent Form(params (string Name, string Value)[] fields) =>
        new(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));

    private static string SamplePath(RouteEndpoint route) => "/" + Parameter().Replace(route.RoutePattern.RawText!, "1").TrimStart('/');

    private Task<RunningDashboard> StartAsync(string role) =>
        RunningDashboard.StartAsync(
            postgres,
            prepare: storage => storage.Accounts.SaveAsync("somebody", role, Passwords.Hash(Password), "user:test")
        );

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Parameter();
}
