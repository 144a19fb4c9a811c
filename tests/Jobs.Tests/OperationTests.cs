using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.Storage.Runs;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.Jobs.Tests;

/// <summary>Pauses, limits and priorities, as real workers keep them.</summary>
public sealed class OperationTests(PostgresFixture postgres)
{
    private const string Ada = "user:ada";

    [Fact]
    public async Task APausedRunGivesItsTrainingBackAndGoesOnWhenItIsResumed()
    {
        await using var testing = await WorkerTesting.OpenAsync(postgres, "exec sleep 300");
        var host = await testing.StartWorkerAsync();
        long runId = await testing.SubmitAsync(host, testing.Config());
        StageRow training = Pretrain(await testing.WaitAsync(runId, testing.HasChild));
        int child = await testing.ChildOfAsync(training.Id);

        await testing.Storage.Pauses.PauseAsync(PauseScope.Run, $"{runId}", interrupts: true, Ada);
        RunDetail paused = await testing.WaitAsync(runId, run => Pretrain(run).State == StageState.Ready);
        Assert.Equal((0, 1L), (Pretrain(paused).Attempt, Pretrain(paused).LeaseEpoch));
        Assert.False(Directory.Exists($"/proc/{child}"));
        Assert.Equal(RunState.Running, paused.Summary.State);

        // Nudged as by a user of Hangfire's dashboard, it stays where it is.
        await testing.NudgeAsync(host, training.Id);
        Assert.Equal(1L, Pretrain((await testing.Storage.Queries.RunAsync(runId))!).LeaseEpoch);

        await testing.Storage.Pauses.ResumeAsync(PauseScope.Run, $"{runId}", Ada);
        Assert.Equal(1, Pretrain(await testing.WaitAsync(runId, testing.HasChild)).Attempt);
        await testing.Storage.Runs.CancelAsync(runId, Ada);
    }

    [Fact]
    public async Task TrainingOnAGpuWaitsForAWorkerThatServesIt()
    {
        await using var testing = await WorkerTesting.OpenAsync(postgres, "exec sleep 300");
        var host = await testing.StartWorkerAsync();
        RunConfig config = testing.Config();
        long runId = await testing.SubmitAsync(host, config with { Pretrain = config.Pretrain with { Device = "cuda" } });
        StageRow ready = Pretrain(await testing.WaitAsync(runId, run => Pretrain(run).State == StageState.Ready));
        Assert.Equal("gpu", ready.Queue);
        await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken); // ten rounds of the relay
        Assert.Equal(StageState.Ready, Pretrain((await testing.Storage.Queries.RunAsync(runId))!).State);

        await testing.StartWorkerAsync(queue: "gpu");
        await testing.WaitAsync(runId, testing.HasChild);
        await testing.Storage.Runs.CancelAsync(runId, Ada);
    }

    [Fact]
    public async Task AMildPauseLetsWhatIsAtWorkEnd()
    {
        using var folder = new TemporaryFolder();
        string go = folder["go"];
        await using var testing = await WorkerTesting.OpenAsync(postgres, $"while [ ! -e '{go}' ]; do sleep 0.05; done; exit 1");
        var host = await testing.StartWorkerAsync();
        long runId = await testing.SubmitAsync(
            host,
            testing.Config() with
            {
                Limits = [new StageLimits { Stage = "pretrain", Attempts = 1 }],
            }
        );
        await testing.WaitAsync(runId, testing.HasChild);
        await testing.Storage.Pauses.PauseAsync(PauseScope.Queue, "cpu", interrupts: false, Ada);
        File.WriteAllText(go, "");
        RunDetail ended = await testing.WaitForEndAsync(runId);
        Assert.Equal((StageState.Failed, 1, 1L), (Pretrain(ended).State, Pretrain(ended).Attempt, Pretrain(ended).LeaseEpoch));
    }

    [Fact]
    public async Task APausedWorkerLeavesItsStagesToOthers()
    {
        await using var testing = await WorkerTesting.OpenAsync(postgres);
        await testing.StartWorkerAsync();
        string idle = (await testing.WorkersAsync(1))[0];
        var host = await testing.StartWorkerAsync();
        await testing.WorkersAsync(2);
        await testing.Storage.Pauses.PauseAsync(PauseScope.Worker, idle, interrupts: true, Ada);
        long runId = await testing.SubmitAsync(host, testing.Config());
        await testing.WaitForEndAsync(runId);
        string[] claims =
        [
            .. (await testing.Storage.Queries.EventsAsync(runId, 1_000))
                .Where(entry => entry.Action == "claimed")
                .Select(entry => entry.Actor),
        ];
        Assert.NotEmpty(claims);
        Assert.DoesNotContain("worker:" + idle, claims);
    }

    [Fact]
    public async Task AnAttemptThatTakesTooLongIsStoppedAndCounts()
    {
        await using var testing = await WorkerTesting.OpenAsync(postgres, "exec sleep 300");
        var host = await testing.StartWorkerAsync();
        StageLimits limits = new()
        {
            Stage = "pretrain",
            Attempts = 2,
            TimeLimitSeconds = 2,
            BackoffSeconds = 0,
        };
        RunDetail ended = await testing.WaitForEndAsync(await testing.SubmitAsync(host, testing.Config() with { Limits = [limits] }));
        StageRow training = Pretrain(ended);
        Assert.Equal((StageState.Failed, 2, "retryable"), (training.State, training.Attempt, training.ErrorKind));
        Assert.Contains("after 2 s, the time limit of pretrain", training.Error);
        Assert.False(Directory.Exists($"/proc/{await testing.ChildOfAsync(training.Id)}"));
    }

    [Fact]
    public async Task TheMoreUrgentRunBeginsFirstThoughItWasSubmittedLater()
    {
        await using var testing = await WorkerTesting.OpenAsync(postgres);
        using var client = testing.CreateClient();
        long usual = await testing.SubmitAsync(client, testing.Config());
        long urgent = await testing.SubmitAsync(client, testing.Config() with { Seed = 7, Priority = 5 });
        await testing.StartWorkerAsync(concurrency: 1);
        await testing.WaitForEndAsync(usual);
        await testing.WaitForEndAsync(urgent);
        var begun = (await testing.Storage.Queries.EventsAsync(null, 1_000))
            .Where(entry => entry.Action == "claimed")
            .OrderBy(entry => entry.Id)
            .ToList();
        int stages = (await testing.Storage.Queries.RunAsync(urgent))!.Stages.Count(stage => stage.Attempt > 0);
        Assert.All(begun.Take(stages - 1), entry => Assert.Equal(urgent, entry.RunId));
    }

    [Fact]
    public async Task AStageThatNeedsMoreMemoryThanItsHostHasSaysSo()
    {
        await using var testing = await WorkerTesting.OpenAsync(postgres);
        var host = await testing.StartWorkerAsync();
        var config = testing.Config() with { Limits = [new StageLimits { Stage = "ingest", MemoryGb = 60_000 }] };
        RunDetail waiting = await testing.WaitAsync(await testing.SubmitAsync(host, config), run => run.Stages[0].WaitingFor is not null);
        Assert.StartsWith("memory@", waiting.Stages[0].WaitingFor);
        Assert.Contains("(60000 needed, ", waiting.Stages[0].WaitingFor);
    }

    [Theory]
    [InlineData(2, 1, 2)]
    [InlineData(2, 3, 8)]
    [InlineData(2, -7, 2)] // attempts that checkpoints added
    [InlineData(2, 5_000, 600)]
    [InlineData(3_600, 2, 3_600)]
    [InlineData(0, 9, 0)]
    public void WaitsDoubleUpToTenMinutes(double first, int failures, double expected) =>
        Assert.Equal(expected, Attempt.BackoffAfter(TimeSpan.FromSeconds(first), failures).TotalSeconds);

    private static StageRow Pretrain(RunDetail run) => run.Stages.Single(stage => stage.Stage == "pretrain");
}
