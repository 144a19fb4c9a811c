using ElectraPipeline.Jobs.Configuration;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training;
using Hangfire;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace ElectraPipeline.Jobs.Tests;

/// <summary>The engine as it runs: Hangfire nudges, PostgreSQL decides.</summary>
public sealed class WorkerTests(PostgresFixture postgres)
{
    private static readonly string[] Prepared = ["ingest", "vocabulary", "tokenize"];

    [Fact]
    public async Task StagesRunInOrderAndADeadChildFailsTheRunAfterItsAttempts()
    {
        await using var testing = await WorkerTesting.OpenAsync(postgres, "echo out of memory >&2; kill -9 $$");
        var host = await testing.StartWorkerAsync();
        var run = await testing.WaitForEndAsync(await testing.SubmitAsync(host, testing.Config()));

        Assert.Equal(RunState.Failed, run.Summary.State);
        var prepared = run.Stages.Where(stage => Prepared.Contains(stage.Stage)).ToList();
        Assert.Equal(5, prepared.Count);
        Assert.All(prepared, stage => Assert.Equal((StageState.Succeeded, 1), (stage.State, stage.Attempt)));
        Assert.All(prepared, stage => Assert.Null(testing.Storage.Artifacts.Verify(stage.OutputDigest!)));
        var pretrain = Of(run, "pretrain");
        Assert.Equal((StageState.Failed, 3, "retryable"), (pretrain.State, pretrain.Attempt, pretrain.ErrorKind));
        Assert.Contains("signal 9", pretrain.Error);
        Assert.Contains("out of memory", pretrain.Error);
        Assert.Equal(StageState.Blocked, Of(run, "register").State);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(testing.Storage.DataFolder, "work")));
        PrintHops(run);
    }

    [Fact]
    public async Task TheSameWorkIsReusedAndARetryRunsWhatFailedOnly()
    {
        await using var testing = await WorkerTesting.OpenAsync(postgres);
        var host = await testing.StartWorkerAsync();
        var first = await testing.WaitForEndAsync(await testing.SubmitAsync(host, testing.Config()));
        var second = await testing.WaitForEndAsync(await testing.SubmitAsync(host, testing.Config()));
        foreach (var stage in second.Stages.Where(stage => Prepared.Contains(stage.Stage)))
        {
            Assert.Equal((StageState.Reused, first.Summary.Id), (stage.State, stage.ReusedFromRun!.Value));
        }

        var changed = testing.Config() with { Seed = 7 };
        var third = await testing.WaitForEndAsync(await testing.SubmitAsync(host, changed));
        Assert.Equal(StageState.Reused, Of(third, "vocabulary").State);
        Assert.All(third.Stages.Where(stage => stage.Stage == "tokenize"), stage => Assert.Equal(StageState.Succeeded, stage.State));

        var submission = (RunSubmission)host.Services.GetService(typeof(RunSubmission))!;
        await submission.RetryRunAsync(first.Summary.Id, "user:test");
        var again = await testing.WaitForEndAsync(first.Summary.Id);
        Assert.Equal(1, Of(again, "ingest").LeaseEpoch);
        Assert.True(Of(again, "pretrain").LeaseEpoch > Of(first, "pretrain").LeaseEpoch);
    }

    [Fact]
    public async Task ANudgeThatWaitsInItsQueueIsNotRepeatedAndOneThatIsGoneIs()
    {
        await using var testing = await WorkerTesting.OpenAsync(postgres);
        using var client = testing.CreateClient();
        await testing.SubmitAsync(client, testing.Config());
        var enqueuer = (StageEnqueuer)client.Services.GetService(typeof(StageEnqueuer))!;
        await NudgeAgainAsync();
        Assert.Equal(1, await WaitingAsync());

        await using (var command = testing.Storage.Database.DataSource.CreateCommand("delete from hangfire.jobqueue"))
        {
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        await NudgeAgainAsync();
        Assert.Equal(1, await WaitingAsync());

        // Whoever requeues a job in Hangfire's dashboard names no queue.
        long stageRun = (await testing.Storage.Reconciler.TakeForgottenAsync(TimeSpan.Zero, 10)).Single().Id;
        string job = (await testing.Storage.Queries.StageAsync(stageRun))!.HangfireJobId!;
        Assert.True(client.Services.GetRequiredService<IBackgroundJobClient>().Requeue(job));
        Assert.Equal(2, await WaitingAsync());

        // A job of a version that gave jobs no queue of their own: it stands where no worker looks.
        await using (var command = testing.Storage.Database.DataSource.CreateCommand("update hangfire.jobqueue set queue = 'default'"))
        {
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        await NudgeAgainAsync();
        Assert.Equal(1, await WaitingAsync());

        async Task<long> WaitingAsync()
        {
            await using var command = testing.Storage.Database.DataSource.CreateCommand(
                "select count(*) from hangfire.jobqueue where queue = 'cpu'"
            );
            return (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
        }

        async Task NudgeAgainAsync()
        {
            var forgotten = await testing.Storage.Reconciler.TakeForgottenAsync(TimeSpan.Zero, 10);
            Assert.Single(forgotten);
            await enqueuer.NudgeAgainAsync(forgotten, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task WhatHangfireForgetsIsStillKnownAndCanBeRetried()
    {
        await using var testing = await WorkerTesting.OpenAsync(postgres);
        var host = await testing.StartWorkerAsync();
        long runId = await testing.SubmitAsync(host, testing.Config());
        RunDetail before = await testing.WaitForEndAsync(runId);
        var events = await testing.Storage.Queries.EventsAsync(runId, 1_000);

        // As at the end of Hangfire's retention, a day after a job's end, for all jobs.
        await using (var command = testing.Storage.Database.DataSource.CreateCommand("truncate hangfire.job cascade"))
        {
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        RunDetail after = (await testing.Storage.Queries.RunAsync(runId))!;
        Assert.Equal(before.Summary, after.Summary);
        Assert.Equal(before.Stages, after.Stages);
        Assert.Equal(events, await testing.Storage.Queries.EventsAsync(runId, 1_000));
        Assert.NotEmpty(await testing.Storage.Queries.LogTailAsync(Of(after, "pretrain").Id));

        await testing.Storage.Runs.RetryRunAsync(runId, "user:test");
        RunDetail again = await testing.WaitAsync(runId, run => run.Summary.State == RunState.Failed);
        Assert.True(Of(again, "pretrain").LeaseEpoch > Of(before, "pretrain").LeaseEpoch);
    }

    [Fact]
    public async Task AMissingFileIsNamedAndNotTriedAgain()
    {
        await using var testing = await WorkerTesting.OpenAsync(postgres);
        var host = await testing.StartWorkerAsync();
        var run = await testing.WaitForEndAsync(await testing.SubmitAsync(host, testing.Config("absent.txt")));
        var ingest = Of(run, "ingest");
        Assert.Equal((StageState.Failed, 1, "permanent"), (ingest.State, ingest.Attempt, ingest.ErrorKind));
        Assert.Contains("absent.txt", ingest.Error);
    }

    [Fact]
    public async Task AWorkerWithConfinedInputsOpensNoFileElsewhereThoughTheStoredConfigNamesIt()
    {
        await using var testing = await WorkerTesting.OpenAsync(postgres);
        string allowed = Directory.CreateDirectory(Path.Combine(testing.Folder, "allowed")).FullName;
        var host = await testing.StartWorkerAsync(inputs: InputFolders.Parse(allowed));
        var run = await testing.WaitForEndAsync(await testing.SubmitAsync(host, testing.Config()));
        var ingest = Of(run, "ingest");
        Assert.Equal((StageState.Failed, 1, "permanent"), (ingest.State, ingest.Attempt, ingest.ErrorKind));
        Assert.Contains($"corpus.paths[0] is {testing.Folder}/corpus.txt", ingest.Error);
        Assert.Contains($"inputs are read from {allowed} alone", ingest.Error);

        // A link in the allowed folder leads out of it all the same.
        File.CreateSymbolicLink(Path.Combine(allowed, "linked.txt"), Path.Combine(testing.Folder, "corpus.txt"));
        var linked = await testing.WaitForEndAsync(await testing.SubmitAsync(host, testing.Config("allowed/linked.txt")));
        Assert.Contains($"which leads to {testing.Folder}/corpus.txt", Of(linked, "ingest").Error);

        File.Copy(Path.Combine(testing.Folder, "corpus.txt"), Path.Combine(allowed, "copied.txt"));
        var copied = await testing.WaitForEndAsync(await testing.SubmitAsync(host, testing.Config("allowed/copied.txt")));
        Assert.Equal(StageState.Succeeded, Of(copied, "ingest").State);
    }

    [Fact]
    public async Task AWorkerThatIsConfinedToNothingHoldsAConfigToTheFolderItWasReadFrom()
    {
        await using var testing = await WorkerTesting.OpenAsync(postgres);
        RunConfig written = testing.Config();
        string folder = Directory.CreateDirectory(Path.Combine(testing.Folder, "conf")).FullName;
        File.Copy(written.Corpus.Paths[0], Path.Combine(folder, "text.txt"));
        File.WriteAllText(Path.Combine(folder, "run.json"), """{"name": "test", "corpus": {"paths": ["text.txt"]}}""");
        RunConfig config = written with
        {
            Corpus = written.Corpus with { Paths = [Path.Combine(folder, "text.txt")] },
            Inputs = RunConfigReader.ReadFile(Path.Combine(folder, "run.json")).Inputs,
        };
        using var client = testing.CreateClient();
        long runId = await testing.SubmitAsync(client, config);
        File.Delete(Path.Combine(folder, "text.txt"));
        File.CreateSymbolicLink(Path.Combine(folder, "text.txt"), written.Corpus.Paths[0]);
        var host = await testing.StartWorkerAsync();
        var ingest = Of(await testing.WaitForEndAsync(runId), "ingest");
        Assert.Equal((StageState.Failed, 1, "permanent"), (ingest.State, ingest.Attempt, ingest.ErrorKind));
        Assert.Contains($"which leads to {written.Corpus.Paths[0]}, out of {folder}, where it had to lie", ingest.Error);

        File.Delete(Path.Combine(folder, "text.txt"));
        File.Copy(written.Corpus.Paths[0], Path.Combine(folder, "text.txt"));
        await host.Services.GetRequiredService<RunSubmission>().RetryRunAsync(runId, "user:test");
        await testing.WaitAsync(runId, run => Of(run, "ingest").State == StageState.Succeeded);
    }

    [Fact]
    public async Task AShutdownGivesTheStageBackUncountedAndACancelStopsTheChild()
    {
        await using var testing = await WorkerTesting.OpenAsync(postgres, "exec sleep 300");
        var host = await testing.StartWorkerAsync();
        long runId = await testing.SubmitAsync(host, testing.Config());
        await testing.WaitAsync(runId, testing.HasChild);
        await testing.StopAsync(host);
        var pretrain = Of((await testing.Storage.Queries.RunAsync(runId))!, "pretrain");
        Assert.Equal((StageState.Ready, 0), (pretrain.State, pretrain.Attempt));

        await testing.StartWorkerAsync();
        await testing.WaitAsync(runId, testing.HasChild);
        Assert.True(await testing.Storage.Runs.CancelAsync(runId, "user:test"));
        await testing.WaitAsync(runId, _ => !Directory.EnumerateFileSystemEntries(Path.Combine(testing.Storage.DataFolder, "work")).Any());
        Assert.Equal(RunState.Cancelled, (await testing.Storage.Queries.RunAsync(runId))!.Summary.State);
        Assert.False(IsAlive(await testing.ChildOfAsync(pretrain.Id)));
    }

    [Fact]
    public async Task TwoTrainingsQueueForTheMachineAndNeitherSpinsWhileItWaits()
    {
        using var folder = new TemporaryFolder();
        string log = folder["children.log"],
            go = folder["go"];
        await using var testing = await WorkerTesting.OpenAsync(
            postgres,
            $"echo \"start $OMP_NUM_THREADS $OMP_WAIT_POLICY ${{GLIBC_TUNABLES%%=*}}\" >> '{log}'; while [ ! -e '{go}' ]; do sleep "
                + $"0.05; done; echo end >> '{log}'; exit 1"
        );
        var host = await testing.StartWorkerAsync();
        await testing.StartWorkerAsync();
        long first = await testing.SubmitAsync(host, testing.Config()),
            second = await testing.SubmitAsync(host, testing.Config() with { Seed = 7 });
        StageRow[] trainings =
        [
            Of(await testing.WaitAsync(first, HasBegun), "pretrain"),
            Of(await testing.WaitAsync(second, HasBegun), "pretrain"),
        ];
        Assert.Single(trainings, stage => stage.State == StageState.Running);
        Assert.Single(trainings, stage => stage.WaitingFor?.StartsWith("training@", StringComparison.Ordinal) is true);
        await testing.WaitAsync(first, _ => File.Exists(log));

        File.WriteAllText(go, "");
        await testing.WaitForEndAsync(first);
        await testing.WaitForEndAsync(second);
        string[] inTurn =
        [
            .. Enumerable.Repeat<string[]>(["start 1 passive glibc.malloc.mmap_threshold", "end"], 6).SelectMany(lines => lines),
        ]; // three attempts each
        Assert.Equal(inTurn, File.ReadAllLines(log));

        static bool HasBegun(RunDetail run) => Of(run, "pretrain") is { State: StageState.Running } or { WaitingFor: not null };
    }

    [Fact]
    public async Task TwoWorkersPublishEachStageOnceThoughAllConnectionsAreCut()
    {
        await using var testing = await WorkerTesting.OpenAsync(postgres);
        var host = await testing.StartWorkerAsync();
        await testing.StartWorkerAsync();
        long runId = await testing.SubmitAsync(host, testing.Config());
        for (int i = 0; i < 4; i++)
        {
            await Task.Delay(300);
            await CutConnectionsAsync(testing);
        }

        var run = await testing.WaitForEndAsync(runId);
        Assert.All(run.Stages.Where(stage => Prepared.Contains(stage.Stage)), stage => Assert.Equal(StageState.Succeeded, stage.State));
        var events = await testing.Storage.Queries.EventsAsync(runId, 1_000);
        Assert.All(
            events.Where(entry => entry.Action == "succeeded").GroupBy(entry => entry.StageRunId),
            published => Assert.Single(published)
        );
    }

    private static StageRow Of(RunDetail run, string stage) => run.Stages.Single(row => row.Stage == stage);

    private static bool IsAlive(int process) => Directory.Exists($"/proc/{process}");

    private static async Task CutConnectionsAsync(WorkerTesting testing)
    {
        var builder = new NpgsqlConnectionStringBuilder(testing.Storage.Database.ConnectionString) { Pooling = false };
        await using var connection = new NpgsqlConnection(builder.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
            connection
        );
        await command.ExecuteNonQueryAsync();
    }

    // For the reader of the output; a shared machine gives no figure to hold anyone to.
    private static void PrintHops(RunDetail run)
    {
        var byId = run.Stages.ToDictionary(stage => stage.Id);
        var hops = run
            .Stages.Where(stage => stage.Attempt == 1 && stage.StartedAt is not null)
            .Select(stage =>
                (
                    stage,
                    parents: run.Dependencies.Where(edge => edge.Child == stage.Id)
                        .Select(edge => byId[edge.Parent].FinishedAt!.Value)
                        .ToList()
                )
            )
            .Where(pair => pair.parents.Count > 0)
            .Select(pair => (pair.stage.StartedAt!.Value - pair.parents.Max()).TotalMilliseconds)
            .Order()
            .ToList();
        TestContext.Current.SendDiagnosticMessage(
            $"hops from a parent's end to its child's start, ms: {string.Join(", ", hops.Select(hop => $"{hop:0}"))}"
        );
    }
}
