using System.Diagnostics;
using System.Text.Json;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Shards;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>Runs a trainer to its last step: curves, evaluations, checkpoints, and a clean stop when asked.</summary>
/// <param name="trainer">The trainer, at the step to go on from.</param>
/// <param name="options">Its options.</param>
/// <param name="seed">The run's seed.</param>
/// <param name="batches">The batch of a step: a pure function.</param>
/// <param name="heldOut">Measures on held-out text; null: there is none.</param>
/// <param name="checkpoints">Where checkpoints go.</param>
/// <param name="reporter">Who hears of it.</param>
/// <param name="ceiling">Floating-point operations a second that the machine reaches at most; null: curves tell no share of it.</param>
internal sealed class PretrainLoop(
    Pretrainer trainer,
    PretrainOptions options,
    ulong seed,
    Func<long, ExampleBatch> batches,
    HeldOutEvaluator? heldOut,
    CheckpointWriter checkpoints,
    IStageReporter reporter,
    double? ceiling = null
)
{
    /// <summary>What a checkpoint's kind is, so that no other stage goes on from it.</summary>
    public const string CheckpointKind = "pretrain";

    // Steps whose figures nobody has read: on a device of its own, reading waits for it.
    private const int MostPending = 256;

    private readonly Stopwatch training = new();
    private readonly List<PendingStep> pending = [];
    private ObjectiveSums window;
    private double windowLoss;
    private int windowSteps;
    private long lastCheckpoint = trainer.Step;

    /// <summary>
    /// Trains to the last step. Curves carry the number of steps done; train/* points are means over the steps since the point before.
    /// </summary>
    /// <returns>The last evaluation; null where there is no held-out text.</returns>
    /// <exception cref="OperationCanceledException">Asked to stop; a checkpoint of the last whole step has been written.</exception>
    public EvaluateResult? Run(CancellationToken cancellationToken)
    {
        using var steps = new StepPrefetch(
            step => trainer.Prepare(batches(step), step),
            trainer.Step,
            options.Steps,
            trainer.RunsBesideHost
        );
        EvaluateResult? latest = null;
        while (trainer.Step < options.Steps)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                WriteCheckpoint();
                cancellationToken.ThrowIfCancellationRequested();
            }

            training.Start();
            using (PreparedStep prepared = Take(steps))
            {
                pending.Add(trainer.Begin(prepared));
            }

            training.Stop();
            Record();
            bool last = trainer.Step == options.Steps;
            if (last || IsDue(options.EvaluateSteps))
            {
                latest = Evaluate();
            }

            if (!last && IsDue(options.CheckpointSteps))
            {
                WriteCheckpoint();
            }
        }

        return latest ?? Evaluate();
    }

    /// <summary>The configuration that a checkpoint belongs to: whatever changes results.</summary>
    public static JsonElement ConfigOf(ElectraConfig model, PretrainOptions options)
    {
        // How often something is written, kept or measured, and on what, may change between attempts.
        PretrainOptions essential = options with
        {
            CheckpointSteps = 0,
            KeepCheckpoints = 0,
            EvaluateSteps = 0,
            LogSteps = 0,
        };
        return JsonSerializer.SerializeToElement(new { model, pretrain = essential });
    }

    private bool IsDue(int every) => every > 0 && trainer.Step % every == 0;

    private PreparedStep Take(StepPrefetch steps)
    {
        using StepClock.Section data = trainer.Clock.Enter(StepPart.Data);
        return steps.Take();
    }

    /// <summary>Adds what pending steps came to. A step that diverged ends the training here, before anything is written.</summary>
    private StepMetrics? ReadPending()
    {
        training.Start();
        StepMetrics? latest = null;
        foreach (PendingStep step in pending)
        {
            StepMetrics metrics = trainer.Finish(step);
            window += metrics.Sums;
            windowLoss += metrics.Loss;
            windowSteps++;
            latest = metrics;
        }

        pending.Clear();
        training.Stop();
        return latest;
    }

    private void Record()
    {
        using StepClock.Section writing = trainer.Clock.Enter(StepPart.Metrics);
        bool log = IsDue(options.LogSteps) || trainer.Step == options.Steps;
        if (!log && pending.Count < MostPending)
        {
            return;
        }

        StepMetrics metrics = ReadPending()!.Value;
        if (!log)
        {
            return;
        }

        long step = trainer.Step;
        reporter.Progress(step, options.Steps, "steps");
        reporter.Metric("train/loss", step, windowLoss / windowSteps);
        foreach ((string name, double value) in ObjectiveMetrics.Of(window, trainer.Model.Config.Parts))
        {
            reporter.Metric("train/" + name, step, value);
        }

        double seconds = training.Elapsed.TotalSeconds;
        reporter.Metric("train/tokens_per_second", step, window.Tokens / seconds);
        if (ceiling is { } most)
        {
            reporter.Metric("train/model_flops_utilization", step, TrainingCompute.Of(trainer.Model.Config, window) / seconds / most);
        }

        reporter.Metric("train/learning_rate", step, metrics.LearningRate);
        reporter.Metric("train/gradient_norm", step, metrics.GradientNorm);
        training.Reset();
        window = default;
        windowLoss = 0;
        windowSteps = 0;
    }

    private EvaluateResult? Evaluate()
    {
        EvaluateResult? result = heldOut?.Run(trainer.Objectives, trainer.Threads, trainer.Model.Config.Parts);
        foreach ((string name, double value) in result?.Metrics() ?? [])
        {
            reporter.Metric(name, trainer.Step, value);
        }

        return result;
    }

    private void WriteCheckpoint()
    {
        if (trainer.Step == lastCheckpoint)
        {
            return;
        }

        ReadPending();
        using var scope = NewDisposeScope();
        var state = new CheckpointState
        {
            Kind = CheckpointKind,
            Step = trainer.Step,
            DataPosition = trainer.Plan.ExamplesBefore(trainer.Step),
            Seed = seed,
            Config = ConfigOf(trainer.Model.Config, options),
        };
        string folder = checkpoints.Write(state, trainer.State());
        lastCheckpoint = trainer.Step;
        reporter.Checkpoint(trainer.Step, folder);
    }
}
