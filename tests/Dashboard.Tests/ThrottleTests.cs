using System.Net;
using System.Net.Http.Headers;
using ElectraPipeline.Dashboard.Security;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.Dashboard.Tests;

/// <summary>Guessing is slow from one place and for one account, and the guesser alone is shut out.</summary>
public sealed class ThrottleTests(PostgresFixture postgres)
{
    private const string Password = "correct horse battery";
    private const string Token = "a-token-of-enough-characters";
    private static readonly IPAddress Home = IPAddress.Parse("192.0.2.1");

    [Fact]
    public async Task Guessing_ends_after_the_tries_of_a_minute_and_then_not_even_the_right_password_helps_but_others_log_in()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(
            postgres,
            Token,
            async storage =>
            {
                await storage.Accounts.SaveAsync("ada", "operator", Passwords.Hash(Password), "user:test");
                await storage.Accounts.SaveAsync("bob", "viewer", Passwords.Hash(Password), "user:test");
            }
        );
        using HttpClient bob = dashboard.VisitorAt("127.0.0.9");
        using HttpClient ada = dashboard.VisitorAt("127.0.0.8");
        for (int i = 0; i < LoginThrottle.FromOneAddress; i++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await dashboard.LoginAsync("ada", $"guess number {i}")).StatusCode);
        }

        HttpResponseMessage refused = await dashboard.LoginAsync("ada", Password);
        Assert.Equal((HttpStatusCode.TooManyRequests, TimeSpan.FromMinutes(1)), (refused.StatusCode, refused.Headers.RetryAfter?.Delta));
        Assert.Contains("Too many attempts", await refused.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.Redirect, (await dashboard.Visitor.GetAsync("/runs")).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await dashboard.LoginAsync("bob", Password)).StatusCode);

        foreach ((string name, HttpClient visitor) in new[] { ("bob", bob), ("ada", ada) })
        {
            Assert.Equal("/runs", (await dashboard.LoginAsync(name, Password, visitor)).Headers.Location?.OriginalString);
            Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync("/runs")).StatusCode);
        }
    }

    [Fact]
    public async Task Guessing_of_the_access_token_by_header_is_throttled_too_and_right_ones_cost_nothing()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres, Token);
        using HttpClient other = dashboard.VisitorAt("127.0.0.9");
        for (int i = 0; i < LoginThrottle.FromOneAddress; i++)
        {
            Assert.Equal(HttpStatusCode.OK, await ApiAsync(dashboard.Visitor, Token));
            Assert.Equal(HttpStatusCode.Unauthorized, await ApiAsync(dashboard.Visitor, $"a-guess-of-the-token-number-{i}"));
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, await ApiAsync(dashboard.Visitor, Token));
        Assert.Equal(HttpStatusCode.OK, await ApiAsync(other, Token));
    }

    [Fact]
    public void Many_addresses_shut_out_one_account_and_no_other_until_the_minute_is_over()
    {
        var clock = new Clock();
        var throttle = new LoginThrottle(clock);
        for (int i = 0; i < LoginThrottle.ForOneAccount; i++)
        {
            Assert.True(throttle.TryBegin(new(IPAddress.Parse($"192.0.2.{i + 2}"), "ada")));
        }

        Assert.False(throttle.TryBegin(new(Home, "ada")));
        Assert.True(throttle.TryBegin(new(Home, "bob")));
        clock.Now += TimeSpan.FromMinutes(1);
        Assert.True(throttle.TryBegin(new(Home, "ada")));
    }

    [Fact]
    public void All_together_have_a_ceiling_which_what_is_refused_does_not_count_for()
    {
        var throttle = new LoginThrottle(new Clock());
        int ofSeven = Enumerable
            .Range(0, 100_000)
            .Count(i => throttle.TryBegin(new(new IPAddress(0x0100007F + (i % 7 << 24)), $"name {i}")));
        Assert.InRange(ofSeven, LoginThrottle.FromOneAddress, 7 * LoginThrottle.FromOneAddress);

        // Of many addresses some share a counter with one of the seven.
        int ofOthers = Enumerable
            .Range(0, 10_000)
            .Count(i => throttle.TryBegin(new(IPAddress.Parse($"198.51.{i / 250}.{i % 250}"), $"other {i}")));
        Assert.Equal(LoginThrottle.InAll, ofSeven + ofOthers);
        Assert.False(throttle.TryBegin(new(Home, "bob")));
    }

    [Fact]
    public void A_success_takes_its_try_back_and_a_network_of_ipv6_is_one_address()
    {
        var throttle = new LoginThrottle(new Clock());
        for (int i = 0; i < LoginThrottle.InAll * 2; i++)
        {
            Assert.True(throttle.TryBegin(new(Home, "ada")));
            throttle.Succeeded(new(Home, "ada"));
        }

        for (int i = 0; i < LoginThrottle.FromOneAddress; i++)
        {
            Assert.True(throttle.TryBegin(new(IPAddress.Parse($"2001:db8::{i + 1}"), $"name {i}")));
            Assert.True(throttle.TryBegin(new(IPAddress.Parse(i % 2 == 0 ? "192.0.2.1" : "::ffff:192.0.2.1"), null)));
        }

        Assert.False(throttle.TryBegin(new(IPAddress.Parse("2001:db8::ffff"), "bob")));
        Assert.False(throttle.TryBegin(new(Home, "bob")));
        Assert.True(throttle.TryBegin(new(IPAddress.Parse("2001:db8:0:1::1"), "bob")));
    }

    [Fact]
    public void Its_memory_does_not_grow_with_addresses_and_names()
    {
        var clock = new Clock();
        var throttle = new LoginThrottle(clock);
        Try(1_000);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        Try(200_000);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, -1_000_000, 100_000);
        Assert.True(throttle.TryBegin(new(null, null))); // is alive until here

        void Try(int count)
        {
            for (int i = 0; i < count; i++)
            {
                clock.Now += TimeSpan.FromSeconds(1);
                throttle.TryBegin(new(new IPAddress(i), $"name {i}"));
            }
        }
    }

    [Fact]
    public async Task Whoever_uses_up_the_tries_of_all_shuts_out_neither_a_browser_that_was_here_before_nor_the_token()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(
            postgres,
            new Clock(),
            Token,
            async storage =>
            {
                await storage.Accounts.SaveAsync("ada", "operator", Passwords.Hash(Password), "user:test");
                await storage.Accounts.SaveAsync("bob", "viewer", Passwords.Hash(Password), "user:test");
            }
        );
        using HttpClient ada = dashboard.VisitorAt("127.0.0.8");
        using HttpClient stranger = dashboard.VisitorAt("127.0.0.9");
        await dashboard.LoginAsync("ada", Password, ada);
        await RunningDashboard.PostFromAsync(ada, "/runs", "/logout");
        LoginThrottle throttle = dashboard.Service<LoginThrottle>();
        for (int i = 0; i < 12 * LoginThrottle.FromOneAddress * 5; i++)
        {
            throttle.TryBegin(new LoginTry(IPAddress.Parse($"192.0.2.{i % 60}"), $"name {i}"));
        }

        // Somebody who was never here, another account, a cookie that is made up: all wait.
        stranger.DefaultRequestHeaders.Add("Cookie", $"{KnownBrowser.CookieName}=CfDJ8made-up");
        Assert.Equal(HttpStatusCode.TooManyRequests, (await dashboard.LoginAsync("ada", Password, stranger)).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await dashboard.LoginAsync("bob", Password, ada)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, await ApiAsync(stranger, Token));

        Assert.Equal("/runs", (await dashboard.LoginAsync("ada", Password, ada)).Headers.Location?.OriginalString);
        for (int i = 0; i < LoginThrottle.FromOneBrowser; i++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await dashboard.LoginAsync("ada", $"guess number {i}", ada)).StatusCode);
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, (await dashboard.LoginAsync("ada", Password, ada)).StatusCode);
    }

    [Fact]
    public async Task Whom_the_throttle_refuses_is_in_the_audit_log_once_and_counted_when_the_minute_is_over()
    {
        var clock = new Clock();
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(
            postgres,
            clock,
            Token,
            storage => storage.Accounts.SaveAsync("ada", "operator", Passwords.Hash(Password), "user:test")
        );
        for (int i = 0; i < LoginThrottle.FromOneAddress + 5; i++)
        {
            await dashboard.LoginAsync("ada", $"guess number {i}");
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, await ApiAsync(dashboard.Visitor, "a-guess-of-the-token"));
        Assert.Equal(
            [
                ("user:ada", "login refused", "from 127.0.0.1"),
                ("user:ada", "login throttled", "from 127.0.0.1"),
                ("user:api", "login throttled", "from 127.0.0.1"),
            ],
            await DeedsAsync(dashboard)
        );
        string minute = $"{clock.Now:HH:mm}";
        clock.Now += TimeSpan.FromMinutes(1);
        await WaitAsync(async () => (await DeedsAsync(dashboard)).Length == 5);
        Assert.Equal(
            [
                ("user:(several)", "login refused", $"19 more in the minute from {minute} UTC"),
                ("user:(several)", "login throttled", $"4 more in the minute from {minute} UTC"),
            ],
            (await DeedsAsync(dashboard))[3..]
        );
    }

    [Fact]
    public async Task The_audit_log_is_filled_no_faster_however_many_are_refused()
    {
        var clock = new Clock();
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres, clock, Token);
        LoginRefusals refusals = dashboard.Service<LoginRefusals>();
        for (int i = 0; i < 10_000; i++)
        {
            await refusals.RecordAsync(LoginRefusals.Throttled, $"name {i}", new IPAddress(i));
        }

        Assert.Equal(LoginRefusals.RowsPerMinute, (await DeedsAsync(dashboard)).Length);
        clock.Now += TimeSpan.FromMinutes(1);
        await refusals.RecordAsync(LoginRefusals.Throttled, "ada", Home);
        (string Actor, string Action, string Detail)[] deeds = await DeedsAsync(dashboard);
        Assert.Equal(LoginRefusals.RowsPerMinute + 2, deeds.Length);
        Assert.StartsWith("9,980 more in the minute from", deeds[^2].Detail);
        Assert.Equal(("user:ada", "from 192.0.2.1"), (deeds[^1].Actor, deeds[^1].Detail));
    }

    private static async Task<(string Actor, string Action, string Detail)[]> DeedsAsync(RunningDashboard dashboard) =>
        [
            .. (await dashboard.Storage.Queries.DeedsAsync(null, 100))
                .Reverse()
                .Where(deed => deed.Action.StartsWith("login ", StringComparison.Ordinal))
                .Select(deed => (deed.Actor, deed.Action, deed.Detail!)),
        ];

    private static async Task WaitAsync(Func<Task<bool>> condition)
    {
        for (DateTimeOffset end = DateTimeOffset.UtcNow.AddMinutes(1); !await condition(); await Task.Delay(200))
        {
            Assert.True(DateTimeOffset.UtcNow < end, "not within a minute");
        }
    }

    private static async Task<HttpStatusCode> ApiAsync(HttpClient visitor, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/runs");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return (await visitor.SendAsync(request)).StatusCode;
    }

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UtcNow;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
