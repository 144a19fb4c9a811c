using System.Net.Http.Headers;
using System.Text;
using Dapper;
using ElectraPipeline.TestSupport;
using Npgsql;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.Pipelines;

/// <summary>
/// What nobody may read: it is in the environment of the processes, and in no log, page, table, file or list of processes.
/// </summary>
public sealed class SecretTests(PostgresFixture postgres)
{
    private const string DatabasePassword = "pw-of-the-database-7f3a";
    private const string Token = "token-of-the-dashboard-91bc";
    private const string BucketKey = "key-of-the-bucket-5d20";

    private static readonly string[] Secrets = [DatabasePassword, Token, BucketKey];

    [Fact]
    public async Task ARunLeavesItsSecretsNowhere()
    {
        string connectionString = await postgres.NewGuardedDatabaseAsync("keeper", DatabasePassword, "superuser");
        using var project = new TinyProject(database: connectionString);
        project.WriteConfig(steps: UndisturbedRun.Steps);
        var environment = new Dictionary<string, string?>(project.Environment)
        {
            ["ELECTRA_TOKEN"] = Token,
            ["AWS_SECRET_ACCESS_KEY"] = BucketKey,
        };
        int port = FreePort.Find();
        using StartedProcess up = BuiltElectra.Start(environment, "up", "--port", $"{port}");
        using StartedProcess run = BuiltElectra.Start(environment, "run", project.Config, "--json");
        await run.WaitAsync(TimeSpan.FromMinutes(2));

        // The training child runs while the lists are read; its worker loses all connections once, so that there is something to log.
        var seen = new List<string>();
        bool disturbed = false;
        await using var database = NpgsqlDataSource.Create(connectionString);
        await TinyProject.WaitForAsync(
            async () =>
            {
                seen.AddRange(CommandLines());
                if (!disturbed && project.Checkpoints > 0)
                {
                    disturbed = true;
                    await using NpgsqlConnection killer = await database.OpenConnectionAsync(TestContext.Current.CancellationToken);
                    await killer.ExecuteAsync(
                        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'keeper' and pid <> pg_backend_pid()"
                    );
                }

                return await project.StateAsync() == "succeeded";
            },
            up
        );
        Assert.True(disturbed);
        Assert.Contains(seen, line => line.Contains("stage-process", StringComparison.Ordinal));
        AssertHidden("a list of processes", string.Join('\n', seen.Distinct()));

        foreach (
            string page in new[]
            {
                "/runs/1",
                "/api/runs/1",
                "/workers",
                "/audit",
                "/hangfire",
                "/hangfire/servers",
                "/hangfire/jobs/succeeded",
            }
        )
        {
            AssertHidden(page, await PageAsync(port, page));
        }

        AssertHidden("status", (await project.SucceedAsync("status", "1", "--json")).ToString());
        AssertHidden("doctor", (await project.RunAsync("doctor", "--json")).ToString());
        AssertHidden("the output of up", up.Snapshot().ToString());
        foreach (string file in Directory.EnumerateFiles(project.DataFolder, "*", SearchOption.AllDirectories))
        {
            AssertHidden(file, Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)));
        }

        Assert.True(Directory.EnumerateFiles(Path.Combine(project.DataFolder, "logs")).Any());
        await AssertNoRowHoldsOneAsync(database);
    }

    private static void AssertHidden(string place, string text) =>
        Assert.All(Secrets, secret => Assert.False(text.Contains(secret, StringComparison.Ordinal), $"{secret} is in {place}"));

    private static IEnumerable<string> CommandLines()
    {
        foreach (string process in Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])))
        {
            string line = "";
            try
            {
                line = File.ReadAllText(Path.Combine(process, "cmdline")).Replace('\0', ' ');
            }
            catch (IOException)
            {
                // It ended in between.
            }

            yield return line;
        }
    }

    private static async Task<string> PageAsync(int port, string path)
    {
        using var visitor = new HttpClient();
        visitor.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        return await visitor.GetStringAsync($"http://localhost:{port}{path}");
    }

    private static async Task AssertNoRowHoldsOneAsync(NpgsqlDataSource database)
    {
        await using NpgsqlConnection connection = await database.OpenConnectionAsync(TestContext.Current.CancellationToken);
        var tables = (
            await connection.QueryAsync<string>(
                "select format('%I.%I', table_schema, table_name) from information_schema.tables where table_schema in ('electra', "
                    + "'hangfire')"
            )
        ).AsList();
        Assert.Contains("electra.run", tables);
        Assert.Contains("hangfire.server", tables);
        foreach (string table in tables)
        {
            int found = await connection.ExecuteScalarAsync<int>(
                $"select count(*) from {table} t where t::text like any(@Patterns)",
                new { Patterns = Secrets.Select(secret => $"%{secret}%").ToArray() }
            );
            Assert.True(found == 0, $"{found} rows of {table} hold a secret");
        }
    }
}
