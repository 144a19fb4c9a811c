using System.Net;
using System.Text.RegularExpressions;
using ElectraPipeline.Dashboard.Security;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.Dashboard.Tests;

/// <summary>
/// Behind a reverse proxy that ends TLS: what it says is believed if it is a configured one, and cookies are for TLS only.
/// </summary>
public sealed partial class ProxyTests(PostgresFixture postgres)
{
    private const string Password = "correct horse battery";
    private const string Proxy = "127.0.0.2";
    private const string Visitor = "127.0.0.9";

    [Theory]
    [InlineData(Proxy, true)]
    [InlineData("127.0.0.3", false)]
    public async Task Only_a_configured_proxy_is_believed(string proxyAddress, bool believed)
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(
            postgres,
            null,
            storage => storage.Accounts.SaveAsync("ada", "operator", Passwords.Hash(Password), "user:test"),
            Proxy
        );
        await using ReverseProxy proxy = await ReverseProxy.StartAsync(dashboard.Visitor.BaseAddress!, proxyAddress);
        using HttpClient visitor = proxy.VisitorFrom(Visitor);

        HttpResponseMessage page = await visitor.GetAsync("/login");
        string antiforgery = Assert.Single(
            page.Headers.GetValues("Set-Cookie"),
            cookie => cookie.StartsWith("electra.antiforgery=", StringComparison.Ordinal)
        );
        AssertHardened(antiforgery, "strict", believed);

        HttpResponseMessage login = await LoginAsync(visitor, page, antiforgery);
        Assert.True(login.StatusCode == HttpStatusCode.Redirect, await login.Content.ReadAsStringAsync());
        AssertHardened(
            Assert.Single(login.Headers.GetValues("Set-Cookie"), cookie => cookie.StartsWith("electra=", StringComparison.Ordinal)),
            "lax",
            believed
        );
        AssertHardened(
            Assert.Single(login.Headers.GetValues("Set-Cookie"), cookie => cookie.StartsWith("electra.known=", StringComparison.Ordinal)),
            "strict",
            believed
        );

        string about = (await dashboard.Storage.Queries.DeedsAsync(null, 10)).First(deed => deed.Action == "login").Detail!;
        Assert.Equal($"from {(believed ? Visitor : proxyAddress)}", about);
    }

    [Fact]
    public void Proxies_need_a_login_and_addresses_that_are_some()
    {
        var open = new DashboardOptions { AccessToken = null, TrustedProxies = [Proxy] };
        Assert.Contains("electra auth add", Assert.Throws<DashboardOptionsException>(open.Validate).Message);
        var misspelt = open with { HasAccounts = true, TrustedProxies = ["proxy.example"] };
        Assert.Contains("proxy.example", Assert.Throws<DashboardOptionsException>(misspelt.Validate).Message);
    }

    private static void AssertHardened(string cookie, string sameSite, bool isSecure)
    {
        string[] attributes = [.. cookie.ToLowerInvariant().Split(';', StringSplitOptions.TrimEntries).Skip(1)];
        Assert.Contains("httponly", attributes);
        Assert.Contains($"samesite={sameSite}", attributes);
        Assert.Equal(isSecure, attributes.Contains("secure"));
    }

    private static async Task<HttpResponseMessage> LoginAsync(HttpClient visitor, HttpResponseMessage page, string cookie)
    {
        string token = WebUtility.HtmlDecode(AntiforgeryField().Match(await page.Content.ReadAsStringAsync()).Groups[1].Value);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/login")
        {
            Content = new FormUrlEncodedContent([
                new("name", "ada"),
                new("secret", Password),
                new("returnUrl", "/runs"),
                new("__RequestVerificationToken", token),
            ]),
        };
        request.Headers.Add("Cookie", cookie.Split(';')[0]);
        return await visitor.SendAsync(request);
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex AntiforgeryField();
}
