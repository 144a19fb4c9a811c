using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.CommandLine;

/// <summary>Where "electra up" listens: on loopback, and elsewhere only where people log in.</summary>
public sealed class ListeningTests(PostgresFixture postgres)
{
    private const string Loopback = "0100007F"; // 127.0.0.1 as the kernel's tables write it
    private const string Listening = "0A";

    [Fact]
    public async Task ByDefaultOnlyLoopbackIsListenedOn()
    {
        using var project = new TinyProject(database: await postgres.NewDatabaseAsync());
        int port = FreePort.Find();
        using StartedProcess up = project.Start("up", "--port", $"{port}");
        await TinyProject.WaitForAsync(() => Task.FromResult(Sockets(up.Id).Count > 0), up);
        Assert.Equal([$"{Loopback}:{port:X4}"], Sockets(up.Id));
    }

    [Theory]
    [InlineData("*")]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("192.0.2.7")]
    public async Task ElsewhereItIsRefusedWithoutAccountsAndToken(string address)
    {
        using var project = new TinyProject(database: await postgres.NewDatabaseAsync());
        ProcessResult result = await project.RunAsync("up", "--address", address, "--no-worker");
        Assert.Equal(2, result.ExitCode);
        Assert.All((string[])[address, "ELECTRA_TOKEN", "electra auth add", "localhost"], part => Assert.Contains(part, result.Error));
        Assert.DoesNotContain("   at ", result.Error);
    }

    [Fact]
    public async Task ATrustedProxyIsRefusedWithoutAccountsAndToken()
    {
        using var project = new TinyProject(database: await postgres.NewDatabaseAsync());
        ProcessResult result = await project.RunAsync("up", "--no-worker", "--trusted-proxy", "10.0.0.5");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("trusted proxies", result.Error);
        Assert.Contains("electra auth add", result.Error);
    }

    [Fact]
    public async Task WithATokenItListensWhereItIsTold()
    {
        using var project = new TinyProject(database: await postgres.NewDatabaseAsync());
        int port = FreePort.Find();
        var environment = new Dictionary<string, string?>(project.Environment) { ["ELECTRA_TOKEN"] = "a-token-of-enough-characters" };
        using StartedProcess up = BuiltElectra.Start(environment, "up", "--no-worker", "--address", "127.0.0.2", "--port", $"{port}");
        await TinyProject.WaitForAsync(() => Task.FromResult(Sockets(up.Id).Count > 0), up);
        Assert.Equal([$"0200007F:{port:X4}"], Sockets(up.Id));
    }

    /// <summary>Local addresses of the TCP sockets that a process listens on.</summary>
    private static List<string> Sockets(int process)
    {
        var own = new DirectoryInfo($"/proc/{process}/fd")
            .EnumerateFileSystemInfos()
            .Select(file => file.LinkTarget)
            .Where(target => target?.StartsWith("socket:[", StringComparison.Ordinal) == true)
            .Select(target => target!["socket:[".Length..^1])
            .ToHashSet();
        return
        [
            .. new[] { "tcp", "tcp6" }
                .SelectMany(table => File.ReadLines($"/proc/{process}/net/{table}").Skip(1))
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(fields => fields[3] == Listening && own.Contains(fields[9]))
                .Select(fields => fields[1]),
        ];
    }
}
