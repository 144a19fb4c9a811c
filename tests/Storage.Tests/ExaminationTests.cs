using Dapper;
using ElectraPipeline.Storage.Artifacts;
using ElectraPipeline.Storage.Runs;
using ElectraPipeline.TestSupport;
using Npgsql;
using Xunit;

namespace ElectraPipeline.Storage.Tests;

/// <summary>Each finding of "electra doctor", by making happen what it warns of.</summary>
public sealed class ExaminationTests(PostgresFixture postgres)
{
    [Fact]
    public async Task WhatIsWellIsGoodAndSaysSo()
    {
        await using StorageTesting testing = await StorageTesting.OpenAsync(postgres);
        var findings = await ExamineAsync(testing.Storage);
        Assert.Equal(
            [
                "free space",
                "writing",
                "PostgreSQL",
                "PostgreSQL settings",
                "clocks",
                "work",
                "sealed folders",
                "what is not ours",
                "contents of versions",
            ],
            findings.Select(f => f.Subject)
        );
        Assert.Matches(@"^version \d+\.\d+, schema 00\d\d_\w+\.sql", Of(findings, "PostgreSQL").Detail);
        Assert.All(findings, finding => Assert.Equal(finding.Severity == Severity.Good, finding.Remedy is null));

        // The server of the tests runs without fsync, and that is the only fault there is.
        Finding fault = Assert.Single(findings, finding => finding.Severity == Severity.Fault);
        Assert.Equal(("PostgreSQL settings", "fsync = off"), (fault.Subject, fault.Detail));
        Assert.Contains("postgresql.conf", fault.Remedy);
    }

    [Fact]
    public async Task AFullAndAReadOnlyDiskAreFaults()
    {
        Assert.SkipUnless(Environment.UserName == "root", "only root may mount a small disk");
        using var disk = new SmallDisk(megabytes: 64);
        await using (ElectraStorage storage = await postgres.OpenStorageAsync(disk.Folder))
        {
            disk.SetReadOnly(true);
            var findings = await ExamineAsync(storage);
            Finding space = Of(findings, "free space");
            Assert.Equal(Severity.Fault, space.Severity);
            Assert.Contains("64 MiB free", space.Detail);
            Assert.Contains("electra gc", space.Remedy);
            Finding writing = Of(findings, "writing");
            Assert.Equal(Severity.Fault, writing.Severity);
            Assert.Contains("Read-only file system", writing.Detail);
            Assert.Contains(disk.Folder, writing.Remedy);
        }

        StorageException refusal = await Assert.ThrowsAsync<StorageException>(() =>
            postgres.OpenStorageAsync(Path.Combine(disk.Folder, "new"))
        );
        Assert.Contains("cannot be used", refusal.Message);
    }

    [Theory]
    [InlineData("synchronous_commit")]
    [InlineData("full_page_writes")]
    public async Task ASettingThatLosesCommitsIsAFault(string setting)
    {
        await using StorageTesting testing = await StorageTesting.OpenAsync(postgres);
        await using var connection = new NpgsqlConnection(testing.Storage.Database.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        bool isOfTheServer = setting == "full_page_writes";
        string where = isOfTheServer ? "system" : $"database {connection.Database}";
        try
        {
            await connection.ExecuteAsync($"alter {where} set {setting} = off");
            await connection.ExecuteAsync("select pg_reload_conf()");
            NpgsqlConnection.ClearAllPools();
            await using ElectraStorage again = await ElectraStorage.OpenAsync(
                new StorageOptions
                {
                    DataFolder = testing.Storage.DataFolder,
                    ConnectionString = testing.Storage.Database.ConnectionString,
                },
                TestContext.Current.CancellationToken
            );
            Finding finding = Of(await ExamineAsync(again), "PostgreSQL settings");
            Assert.Equal(Severity.Fault, finding.Severity);
            Assert.Contains($"{setting} = off", finding.Detail);
        }
        finally
        {
            await connection.ExecuteAsync($"alter {where} reset {setting}");
            await connection.ExecuteAsync("select pg_reload_conf()");
        }
    }

    [Fact]
    public async Task AClockThatIsWrongIsAWarning()
    {
        await using StorageTesting testing = await StorageTesting.OpenAsync(postgres);
        Finding finding = Of(await ExamineAsync(testing.Storage, new LateClock(TimeSpan.FromMinutes(10))), "clocks");
        Assert.Equal(Severity.Warning, finding.Severity);
        Assert.Matches(@"are (599|600)\.\d s apart", finding.Detail);
        Assert.Contains("chrony", finding.Remedy);
    }

    [Fact]
    public async Task WorkThatNobodyDoesIsAWarningAndSoAreLeasesThatLivingWorkersLeave()
    {
        await using StorageTesting testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(3, [], []);
        await using NpgsqlConnection connection = await testing.Storage.Database.DataSource.OpenConnectionAsync(
            TestContext.Current.CancellationToken
        );
        await connection.ExecuteAsync("update stage_run set available_at = clock_timestamp() - interval '2 minutes'");
        Finding waiting = Of(await ExamineAsync(testing.Storage), "work");
        Assert.Equal(
            (Severity.Warning, "0 workers alive, 2 stages ready and 0 leases run out for more than a minute"),
            (waiting.Severity, waiting.Detail)
        );
        Assert.Contains("electra up", waiting.Remedy);

        StageLease lease = (await testing.ClaimAsync(stages[0]))!;
        await connection.ExecuteAsync(
            "update stage_run set lease_until = clock_timestamp() - interval '2 minutes' where id = @Id",
            new { Id = lease.StageRunId }
        );
        Finding dead = Of(await ExamineAsync(testing.Storage), "work");
        Assert.Equal(
            (Severity.Warning, "0 workers alive, 1 stages ready and 1 leases run out for more than a minute"),
            (dead.Severity, dead.Detail)
        );

        await connection.ExecuteAsync("insert into worker (id, host, queues, code_version) values ('w', 'h', '{cpu}', '1')");
        Finding left = Of(await ExamineAsync(testing.Storage), "work");
        Assert.Equal(Severity.Warning, left.Severity);
        Assert.Contains("restart them", left.Remedy);
    }

    [Fact]
    public async Task AMissingFolderAndADamagedOneAreFaultsAndOnlyDeepReadsThoseOfNoVersion()
    {
        await using StorageTesting testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(3, [], []);
        var outputs = new Dictionary<long, string>();
        foreach (long stage in stages)
        {
            await testing.CompleteAsync((await testing.ClaimAsync(stage))!);
            outputs[stage] = (await testing.Storage.Queries.StageAsync(stage, TestContext.Current.CancellationToken))!.OutputDigest!;
        }

        string[] folders = [.. stages.Select(stage => testing.Storage.Artifacts.PathOf(outputs[stage]))];
        Assert.Equal(Severity.Good, Of(await ExamineAsync(testing.Storage, deep: true), "contents of all").Severity);
        File.AppendAllText(Path.Combine(folders[0], "out.txt"), "!");
        Directory.Delete(folders[1], recursive: true);

        var findings = await ExamineAsync(testing.Storage, deep: true);
        Finding missing = Of(findings, "sealed folders");
        Assert.Equal(Severity.Fault, missing.Severity);
        Assert.Contains(Path.GetFileName(folders[1]), missing.Detail);
        Assert.Contains("backup", missing.Remedy);
        Finding damaged = Of(findings, "contents of all");
        Assert.Equal(Severity.Fault, damaged.Severity);
        Assert.Contains(Path.GetFileName(folders[0]), damaged.Detail);
        Assert.Contains("backup", damaged.Remedy);
        Assert.Equal(Severity.Good, Of(await ExamineAsync(testing.Storage), "contents of versions").Severity);
    }

    [Fact]
    public async Task WhatCannotBeReadIsDamagedAndTheRestIsLookedAtAllTheSame()
    {
        await using StorageTesting testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(3, [], []);
        var folders = new List<string>();
        foreach (long stage in stages)
        {
            await testing.CompleteAsync((await testing.ClaimAsync(stage))!);
            string digest = (await testing.Storage.Queries.StageAsync(stage, TestContext.Current.CancellationToken))!.OutputDigest!;
            folders.Add(testing.Storage.Artifacts.PathOf(digest));
        }

        File.CreateSymbolicLink(Path.Combine(folders[0], "link"), "out.txt");
        File.AppendAllText(Path.Combine(folders[1], "out.txt"), "!");
        Finding damaged = Of(await ExamineAsync(testing.Storage, deep: true), "contents of all");
        Assert.StartsWith("2 of 2 are damaged", damaged.Detail);
    }

    [Fact]
    public async Task WhatSomebodyPutAmongSealedFoldersIsNamedAndGarbageCollectionGoesAroundIt()
    {
        await using StorageTesting testing = await StorageTesting.OpenAsync(postgres);
        SealedArtifact orphan = testing.Seal(new StageLease(1, 1, "stage", "", 1, 1, 1, "worker"), "orphan");
        string objects = Path.Combine(testing.Storage.DataFolder, "objects");
        string[] strangers =
        [
            Path.Combine(objects, "ab", "half.tmp"),
            Path.Combine(objects, "elsewhere"),
            Path.Combine(objects, "cd", new string('0', 64)),
        ];
        foreach (string stranger in strangers.Append(Path.Combine(objects, "lost+found")))
        {
            Directory.CreateDirectory(stranger);
        }

        Finding finding = Of(await ExamineAsync(testing.Storage), "what is not ours");
        Assert.Equal(Severity.Warning, finding.Severity);
        Assert.Contains($"in objects/ lie 3 that this program did not write, the first {strangers[0]}", finding.Detail);

        Collected collected = await testing.Storage.Garbage.CollectAsync(
            new RetentionPolicy { OrphanAge = TimeSpan.Zero },
            cancellationToken: TestContext.Current.CancellationToken
        );
        Assert.Equal([orphan.Digest], collected.Artifacts.Select(artifact => artifact.Digest));
        Assert.All(strangers, stranger => Assert.True(Directory.Exists(stranger)));
    }

    private static Finding Of(IEnumerable<Finding> findings, string subject) => findings.Single(finding => finding.Subject == subject);

    private static async Task<List<Finding>> ExamineAsync(ElectraStorage storage, TimeProvider? clock = null, bool deep = false)
    {
        var findings = new List<Finding>();
        await foreach (
            Finding finding in new StorageExamination(storage, clock ?? TimeProvider.System).ExamineAsync(
                deep,
                TestContext.Current.CancellationToken
            )
        )
        {
            findings.Add(finding);
        }

        return findings;
    }

    private sealed class LateClock(TimeSpan late) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() - late;
    }
}
