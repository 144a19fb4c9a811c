using System.Net;
using System.Net.Sockets;
using ElectraPipeline.TestSupport;
using Npgsql;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.CommandLine;

/// <summary>A database that cannot be used: one sentence with the remedy, exit code 2, no stack trace, no password.</summary>
public sealed class DatabaseFaultTests(PostgresFixture postgres) : IDisposable
{
    private const string Secret = "hunter2-of-the-database";

    private readonly TinyProject project = new();

    public static TheoryData<string> Commands =>
        [
            "up --port 0",
            "worker",
            "run CONFIG",
            "run CONFIG --watch",
            "status",
            "status 1",
            "retry 1",
            "cancel 1",
            "datasets",
            "models",
            "export tiny DIR",
            "schedule list",
            "auth list",
            "auth log",
            "auth remove ada",
            "gc",
            "doctor",
            "backup DIR",
            "health --worker",
        ];

    public void Dispose() => project.Dispose();

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task EveryCommandSaysThatTheServerCannotBeReached(string command)
    {
        string words = command.Replace("CONFIG", project.Config).Replace("DIR", project.PathOf("made"));
        ProcessResult result = await RunAsync($"Host=127.0.0.1;Port=1;Username=electra;Password={Secret}", words.Split(' '));
        AssertSaid(result, "127.0.0.1:1", "Connection refused", "ELECTRA_DATABASE");
    }

    [Theory]
    [InlineData("postgresql://ada:hunter2-of-the-database@localhost/electra", "is a URL")]
    [InlineData("Host=localhost;Password=x;hunter2-of-the-database=y", "is malformed")]
    [InlineData("hunter2-of-the-database", "is malformed")]
    [InlineData("Host=localhost;Port=hunter2-of-the-database", "a value for port that is none")]
    [InlineData("Database=electra;Password=hunter2-of-the-database", "names no host")]
    public async Task AMalformedConnectionStringIsExplainedButNotRepeated(string connectionString, string what) =>
        AssertSaid(await RunAsync(connectionString, "status"), what, "Host=NAME", "ELECTRA_DATABASE");

    [Fact]
    public async Task AHostThatDoesNotExistIsNamed() =>
        AssertSaid(await RunAsync($"Host=nowhere.invalid;Password={Secret}", "status"), "nowhere.invalid", "ELECTRA_DATABASE");

    [Fact]
    public async Task AMissingDatabaseIsNamedWithTheCommandThatMakesIt()
    {
        var builder = new NpgsqlConnectionStringBuilder(await postgres.NewDatabaseAsync()) { Database = "not-made-yet", Password = Secret };
        AssertSaid(await RunAsync(builder.ConnectionString, "status"), "no database not-made-yet", "createdb not-made-yet");
    }

    [Fact]
    public async Task AWrongPasswordAMissingOneAndAnUnknownUserAreToldApart()
    {
        var right = new NpgsqlConnectionStringBuilder(await postgres.NewGuardedDatabaseAsync("guarded", Secret));
        string With(string user, string? password) =>
            new NpgsqlConnectionStringBuilder(right.ConnectionString) { Username = user, Password = password }.ConnectionString;
        AssertSaid(await RunAsync(With("guarded", "not " + Secret), "status"), "refuses the password of guarded", "~/.pgpass");
        AssertSaid(await RunAsync(With("guarded", null), "status"), "asks for a password of guarded", "~/.pgpass");
        AssertSaid(await RunAsync(With("stranger", Secret), "status"), "does not let stranger in", "pg_hba.conf");
        AssertSaid(await RunAsync(right.ConnectionString, "status"), "permission denied", "grant create on database");
    }

    [Fact]
    public async Task ATooOldServerIsRefused()
    {
        var builder = new NpgsqlConnectionStringBuilder(await postgres.NewGuardedDatabaseAsync("dated", Secret));
        using var older = new OlderServer(Path.Combine(builder.Host!, ".s.PGSQL.5432"));
        builder.Host = "127.0.0.1";
        builder.Port = older.Port;
        AssertSaid(await RunAsync(builder.ConnectionString, "status"), "is version 12", "at least 15 is needed", "pg_upgrade");
    }

    [Fact]
    public async Task SomethingElseAtThePortIsNoPuzzle()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task answer = AnswerAsync(listener);
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        AssertSaid(await RunAsync($"Host=127.0.0.1;Port={port};Password={Secret}", "status"), $"127.0.0.1:{port}", "ELECTRA_DATABASE");
        await answer;
    }

    [Theory]
    [InlineData("Host=localhost;Password=hunter2-of-the-database")]
    [InlineData("postgresql://ada:hunter2-of-the-database@localhost/electra")]
    public async Task APasswordAmongTheArgumentsIsRefused(string connectionString)
    {
        ProcessResult result = await project.RunAsync("status", "--database", connectionString);
        AssertSaid(result, "list of processes", "ELECTRA_DATABASE");
    }

    private static async Task AnswerAsync(TcpListener listener)
    {
        using TcpClient client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
    }

    private static void AssertSaid(ProcessResult result, params string[] parts)
    {
        Assert.True(result.ExitCode is 1 or 2, result.ToString());
        Assert.All(parts, part => Assert.Contains(part, result.Error));
        Assert.StartsWith("error: ", result.Error);
        Assert.Single(result.Error.Trim().Split('\n'));
        Assert.DoesNotContain("   at ", result.Error);
        Assert.DoesNotContain("Exception", result.Error);
        Assert.DoesNotContain(Secret, result.ToString());
    }

    private async Task<ProcessResult> RunAsync(string connectionString, params string[] arguments)
    {
        var environment = new Dictionary<string, string?>(project.Environment) { ["ELECTRA_DATABASE"] = connectionString };
        return await BuiltElectra.RunAsync(environment, arguments);
    }
}
