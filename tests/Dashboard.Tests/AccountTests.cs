using System.Net;
using System.Runtime.Versioning;
using ElectraPipeline.Dashboard.Security;
using ElectraPipeline.Storage;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.Dashboard.Tests;

/// <summary>Accounts with roles: who may look, who may change, what ends a login, and what is recorded.</summary>
public sealed class AccountTests(PostgresFixture postgres)
{
    private const string Password = "correct horse battery";

    [Fact]
    public async Task A_viewer_looks_and_changes_nothing()
    {
        await using RunningDashboard dashboard = await WithAccountAsync("vera", "viewer");
        SampleRun run = await SampleRun.FailedAsync(dashboard.Storage, "sample", "disk full");
        Assert.Equal(HttpStatusCode.Redirect, (await dashboard.Visitor.GetAsync("/runs")).StatusCode);
        await LoginAsync(dashboard, "vera", Password);
        Assert.Contains("class=\"viewer\"", await dashboard.Visitor.GetStringAsync($"/runs/{run.Id}"));

        HttpResponseMessage retry = await dashboard.PostFromAsync($"/runs/{run.Id}", $"/runs/{run.Id}/retry");
        Assert.Equal(HttpStatusCode.Forbidden, retry.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await dashboard.PostFromAsync("/runs", $"/api/runs/{run.Id}/retry")).StatusCode);
        Assert.Equal(StageState.Failed, (await dashboard.Storage.Queries.StageAsync(run.Pretrain))!.State);
        Assert.DoesNotContain(
            "data-url=\"/hangfire/jobs/enqueued/delete",
            await dashboard.Visitor.GetStringAsync("/hangfire/jobs/enqueued/cpu")
        );
        HttpResponseMessage hangfire = await dashboard.PostFromAsync("/runs", "/hangfire/jobs/failed/requeue", ("jobs[]", "1"));
        Assert.False(hangfire.IsSuccessStatusCode, $"Hangfire answered {hangfire.StatusCode}");
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public async Task Spaces_around_a_password_do_not_count_and_nobody_else_reads_the_keys_of_cookies()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(
            postgres,
            null,
            storage => storage.Accounts.SaveAsync("ada", "viewer", Passwords.Hash($" {Password} "), "user:test")
        );
        await LoginAsync(dashboard, "ada", Password);
        await LoginAsync(dashboard, "ada", $"{Password}  ");
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(dashboard.Service<DashboardOptions>().KeysFolder!)
        );
    }

    [Fact]
    public async Task An_operator_changes_runs_and_is_recorded()
    {
        await using RunningDashboard dashboard = await WithAccountAsync("olga", "operator");
        SampleRun run = await SampleRun.FailedAsync(dashboard.Storage, "sample", "disk full");
        await LoginAsync(dashboard, "olga", "wrong password here", HttpStatusCode.Unauthorized);
        await LoginAsync(dashboard, "olga", Password);
        HttpResponseMessage retry = await dashboard.PostFromAsync($"/runs/{run.Id}", $"/runs/{run.Id}/retry");
        Assert.Equal(HttpStatusCode.Redirect, retry.StatusCode);
        Assert.Equal(StageState.Ready, (await dashboard.Storage.Queries.StageAsync(run.Pretrain))!.State);
        var deeds = (await dashboard.Storage.Queries.EventsAsync(null)).Where(e => e.Actor == "user:olga").Select(e => e.Action).ToList();
        Assert.Contains("login refused", deeds);
        Assert.Contains("login", deeds);
        Assert.Contains("retry", deeds);
    }

    [Theory]
    [InlineData("removed")]
    [InlineData("another password")]
    [InlineData("another role")]
    public async Task A_login_ends_when_the_account_is(string change)
    {
        await using RunningDashboard dashboard = await WithAccountAsync("ada", "operator");
        await LoginAsync(dashboard, "ada", Password);
        Assert.Equal(HttpStatusCode.OK, (await dashboard.Visitor.GetAsync("/runs")).StatusCode);
        await (
            change switch
            {
                "removed" => dashboard.Storage.Accounts.RemoveAsync("ada", "user:test"),
                "another password" => dashboard.Storage.Accounts.SaveAsync(
                    "ada",
                    "operator",
                    Passwords.Hash("another long password"),
                    "user:test"
                ),
                _ => dashboard.Storage.Accounts.SaveAsync(
                    "ada",
                    "viewer",
                    (await dashboard.Storage.Accounts.FindAsync("ada"))!.PasswordHash,
                    "user:test"
                ),
            }
        );
        Assert.Equal(HttpStatusCode.Redirect, (await dashboard.Visitor.GetAsync("/runs")).StatusCode);
    }

    private static async Task LoginAsync(
        RunningDashboard dashboard,
        string name,
        string password,
        HttpStatusCode expected = HttpStatusCode.Redirect
    )
    {
        HttpResponseMessage answer = await dashboard.LoginAsync(name, password);
        Assert.Equal(expected, answer.StatusCode);
    }

    private Task<RunningDashboard> WithAccountAsync(string name, string role) =>
        RunningDashboard.StartAsync(
            postgres,
            prepare: storage => storage.Accounts.SaveAsync(name, role, Passwords.Hash(Password), "user:test")
        );
}
