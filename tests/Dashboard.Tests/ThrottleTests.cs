using System.Net;
using ElectraPipeline.Dashboard.Security;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.Dashboard.Tests;

public sealed class ThrottleTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Guessing_ends_after_the_logins_of_a_minute_and_then_not_even_the_right_password_helps()
    {
        const string Password = "correct horse battery";
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(
            postgres, prepare: storage => storage.Accounts.SaveAsync("ada", "operator", Passwords.Hash(Password), "user:test"));
        for (int i = 0; i < LoginEndpoints.LoginsPerMinute; i++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await dashboard.LoginAsync("ada", $"guess number {i}")).StatusCode);
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, (await dashboard.LoginAsync("ada", Password)).StatusCode);
        Assert.Equal(HttpStatusCode.Redirect, (await dashboard.Visitor.GetAsync("/runs")).StatusCode);
    }
}
