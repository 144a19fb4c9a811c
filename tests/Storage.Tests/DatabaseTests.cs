using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Dapper;
using ElectraPipeline.Storage.PostgreSql;
using ElectraPipeline.TestSupport;
using Npgsql;
using Xunit;

namespace ElectraPipeline.Storage.Tests;

public sealed class DatabaseTests(PostgresFixture postgres)
{
    [Fact]
    public async Task ASchemaOfANewerVersionIsRefused()
    {
        string connectionString = await postgres.NewDatabaseAsync();
        await using (var database = await Database.OpenAsync(connectionString))
        {
            await using var connection = await database.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);
            await connection.ExecuteAsync("insert into schema_version (scriptname, applied) values ('Migrations.9999_future.sql', now())");
        }

        var error = await Assert.ThrowsAsync<StorageException>(() => Database.OpenAsync(connectionString));
        Assert.Contains("9999_future", error.Message);
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public async Task ABackupIsReadableByItsOwnerAloneAndItsConnectionIsAsSecretAsTheConnectionStringAsks()
    {
        using var folder = new TemporaryFolder();
        await using (ElectraStorage storage = await postgres.OpenStorageAsync(folder["data"]))
        {
            await Backup.WriteAsync(storage, folder["backup"], (_, _) => { });
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder["backup"]));

        // Somebody who answers that there is no TLS here: by itself pg_dump would go on, password and all.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task answering = Task.Run(async () =>
        {
            using TcpClient client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
            byte[] request = new byte[8];
            await client.GetStream().ReadExactlyAsync(request, TestContext.Current.CancellationToken);
            await client.GetStream().WriteAsync("N"u8.ToArray(), TestContext.Current.CancellationToken);
            Assert.Equal(0, await client.GetStream().ReadAsync(request, TestContext.Current.CancellationToken));
        });
        var server = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = ((IPEndPoint)listener.LocalEndpoint).Port,
            Database = "d",
            Username = "u",
            Password = "p",
            SslMode = SslMode.VerifyFull,
        };
        StorageException refusal = await Assert.ThrowsAsync<StorageException>(() =>
            DatabaseDump.WriteAsync(server.ConnectionString, folder["dump"], TestContext.Current.CancellationToken)
        );
        Assert.Contains("server does not support SSL, but SSL was required", refusal.Message);
        await answering;
    }

    [Fact]
    public async Task ADataFolderOfANewerVersionIsRefused()
    {
        using var folder = new TemporaryFolder();
        folder.Write("electra-data-format", "2\n");
        var error = await Assert.ThrowsAsync<StorageException>(() =>
            ElectraStorage.OpenAsync(new StorageOptions { DataFolder = folder.Path, ConnectionString = "Host=nowhere" })
        );
        Assert.Contains("newer ElectraPipeline", error.Message);
    }

    [Fact]
    public async Task APrivateClusterIsSharedAndStartsAgainAfterItWasKilled()
    {
        // Long, so that the socket cannot stand inside.
        using var folder = new TemporaryFolder();
        string data = Path.Combine(folder.Path, new string('d', 90));
        var settings = new Dictionary<string, string> { ["fsync"] = "off" };
        await using var first = await PrivateCluster.StartAsync(data, settings);
        int process = first.ServerProcess!.Value;
        await using (var second = await PrivateCluster.StartAsync(data, settings))
        {
            Assert.Equal(process, second.ServerProcess);
        }

        Assert.Equal(process, first.ServerProcess);
        await using (var database = await Database.OpenAsync(first.ConnectionString))
        {
            await using var connection = await database.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);
            await connection.ExecuteAsync("insert into worker (id, host, queues, code_version) values ('w', 'h', '{cpu}', '1')");
        }

        System.Diagnostics.Process.GetProcessById(process).Kill();
        int waits = 0;
        while ((first.ServerProcess is null || first.ServerProcess == process) && waits++ < 300)
        {
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        await using var again = await PrivateCluster.StartAsync(data, settings);
        Assert.NotEqual(process, again.ServerProcess);
        await using var reopened = await Database.OpenAsync(again.ConnectionString);
        await using var reader = await reopened.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, await reader.ExecuteScalarAsync<int>("select count(*) from worker"));
    }

    [Fact]
    public async Task AServerThatDiedAndLeftItsFileIsStopped()
    {
        using var folder = new TemporaryFolder();
        ClusterFolder cluster = ClusterFolder.Open(folder["cluster"]);
        await cluster.InitializeAsync(TestContext.Current.CancellationToken);
        await cluster.ConfigureAsync(new Dictionary<string, string>(), TestContext.Current.CancellationToken);
        await cluster.StartServerAsync(TestContext.Current.CancellationToken);
        System.Diagnostics.Process server = System.Diagnostics.Process.GetProcessById(cluster.ServerProcess()!.Value);
        server.Kill();
        for (int waits = 0; cluster.ServerProcess() is not null && waits < 300; waits++)
        {
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        await cluster.StopServerAsync("fast", TestContext.Current.CancellationToken);
        Assert.Null(cluster.ServerProcess());
    }
}
