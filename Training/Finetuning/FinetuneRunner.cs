using System.Runtime.ExceptionServices;
using TorchSharp;

namespace ElectraPipeline.Training.Finetuning;

/// <summary>Runs the trainings of a task, as many at once as there are cores; on a GPU one after the other.</summary>
internal sealed class FinetuneRunner(FinetunePlan plan, FinetuneLedger ledger, IStageReporter reporter, ulong runSeed)
{
    private const int StackBytes = 16 << 20; // backward recurses over the graph
    private readonly int logSteps = Math.Max(1, plan.StepsPerTraining / 100);
    private long stepsDone;
    private long stepsInAll;
    private int next;

    /// <summary>
    /// The seed of a training's draws. Both arms of one seed share it: they see the same head, order and dropout, and differ in the
    /// encoder's first values alone.
    /// </summary>
    public static ulong TrainingSeed(ulong runSeed, TrainingKey key) =>
        RandomPurpose.SeedFor(runSeed, RandomPurpose.Training + ((ulong)(uint)key.Seed << 16));

    /// <summary>Runs all that are not finished yet. The first failure stops the others and is thrown.</summary>
    /// <exception cref="OperationCanceledException">Asked to stop; every training has left a checkpoint.</exception>
    public void Run(IReadOnlyList<TrainingKey> keys, CancellationToken cancellationToken)
    {
        stepsInAll = (long)keys.Count * plan.StepsPerTraining;
        stepsDone = keys.Sum(key => ledger.ResultOf(key)?.Steps ?? ledger.SnapshotOf(key)?.Step ?? 0);
        TrainingKey[] open = [.. keys.Where(key => ledger.ResultOf(key) is null)];
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ExceptionDispatchInfo? failure = null;
        int count = plan.Device.type == DeviceType.CPU ? Math.Min(Environment.ProcessorCount, open.Length) : Math.Min(1, open.Length);
        Thread[] threads =
        [
            .. Enumerable.Range(0, count).Select(_ => new Thread(Serve, StackBytes) { IsBackground = true, Name = "fine-tuning" }),
        ];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        failure?.Throw();
        cancellationToken.ThrowIfCancellationRequested();

        void Serve()
        {
            try
            {
                torch.set_num_threads(1); // LibTorch keeps the number for each thread
                while (Interlocked.Increment(ref next) is var taken && taken <= open.Length)
                {
                    Train(open[taken - 1], stop.Token);
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // Run throws for all threads: the failure that stopped them, or the caller's wish.
            }
            catch (Exception fault)
            {
                Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(fault), null);
                stop.Cancel();
            }
        }
    }

    private void Train(TrainingKey key, CancellationToken stop)
    {
        using TaskTrainer trainer = Start(key);
        double lossSum = 0;
        int lossCount = 0;
        long saved = trainer.Step;
        while (trainer.Step < trainer.TotalSteps)
        {
            if (stop.IsCancellationRequested)
            {
                Save(key, trainer, saved);
                stop.ThrowIfCancellationRequested();
            }

            lossSum += trainer.Train();
            lossCount++;
            long done = Interlocked.Increment(ref stepsDone);
            if (trainer.Step % logSteps == 0 || trainer.Step == trainer.TotalSteps)
            {
                reporter.Metric(NameOf(key, "train_loss"), trainer.Step, lossSum / lossCount);
                reporter.Progress(done, stepsInAll, "steps");
                (lossSum, lossCount) = (0, 0);
            }

            if (trainer.Step < trainer.TotalSteps)
            {
                Measure(key, trainer);
                saved = trainer.Step % plan.Options.CheckpointSteps == 0 ? Save(key, trainer, saved) : saved;
            }
        }

        Finish(key, trainer);
    }

    private TaskTrainer Start(TrainingKey key)
    {
        TaskTrainer trainer = new(plan, TrainingSeed(runSeed, key));
        if (ledger.SnapshotOf(key) is { } snapshot)
        {
            trainer.Restore(snapshot);
        }
        else if (key.Arm == TrainingKey.Pretrained)
        {
            trainer.Model.Load(plan.Source);
        }

        return trainer;
    }

    private void Measure(TrainingKey key, TaskTrainer trainer)
    {
        if (trainer.Step % trainer.StepsPerEpoch == 0)
        {
            Report(key, trainer.Evaluate(key.Seed, plan.Task.Evaluation));
        }
    }

    private void Finish(TrainingKey key, TaskTrainer trainer)
    {
        FinetuneTraining result = trainer.Evaluate(key.Seed, plan.Task.Evaluation);
        Report(key, result);
        reporter.Log($"{key.Path}: " + string.Join(", ", result.Figures.Select(figure => $"{figure.Key} {figure.Value:F4}")));
        ledger.Record(key, trainer.Step, key.Arm == TrainingKey.Pretrained ? trainer.ParameterSnapshot() : null, result);
    }

    private long Save(TrainingKey key, TaskTrainer trainer, long saved)
    {
        if (trainer.Step > saved)
        {
            ledger.Record(key, trainer.Step, trainer.Snapshot(), result: null);
        }

        return trainer.Step;
    }

    private void Report(TrainingKey key, FinetuneTraining result)
    {
        foreach ((string name, double value) in result.Figures)
        {
            reporter.Metric(NameOf(key, name), result.Steps, value);
        }

        reporter.Metric(NameOf(key, "loss"), result.Steps, result.Loss);
    }

    private static string NameOf(TrainingKey key, string metric) => $"finetune/{key.Path}/{metric}";
}
