using System.Text.Json;
using ElectraPipeline.Training.Checkpoints;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Finetuning;

/// <summary>One training: how it starts and its seed.</summary>
internal sealed record TrainingKey(string Arm, int Seed)
{
    public const string Pretrained = "pretrained";
    public const string Random = "random";

    /// <summary>How its curves and tensors are named.</summary>
    public string Path => $"{Arm}/seed-{Seed}";
}

/// <summary>
/// What all trainings have come to so far, and its checkpoints. Trainings run on several threads; each hands in snapshots of its own, and
/// every checkpoint holds the latest of each, so that a killed fine-tuning loses at most the steps since.
/// </summary>
internal sealed class FinetuneLedger : IDisposable
{
    private const string CheckpointKind = "finetune";

    private readonly FinetunePlan plan;
    private readonly ulong seed;
    private readonly CheckpointWriter checkpoints;
    private readonly IStageReporter reporter;
    private readonly Lock gate = new();
    private readonly SortedDictionary<string, Entry> entries = new(StringComparer.Ordinal);

    /// <summary>Starts empty, or with what a checkpoint holds.</summary>
    /// <exception cref="PermanentException">The checkpoint is damaged or belongs to other options, data or models.</exception>
    public FinetuneLedger(FinetunePlan plan, FinetuneRequest request, IStageReporter reporter)
    {
        this.plan = plan;
        this.reporter = reporter;
        seed = request.Seed;
        checkpoints = new CheckpointWriter(request.WorkFolder, keep: 2);
        if (request.ResumeFrom is not null && CheckpointReader.OpenNewest(request.ResumeFrom, reporter.Log) is { } checkpoint)
        {
            using (checkpoint)
            {
                Restore(checkpoint);
            }
        }
    }

    /// <summary>The result of a training that is finished.</summary>
    public FinetuneTraining? ResultOf(TrainingKey key)
    {
        lock (gate)
        {
            return entries.GetValueOrDefault(key.Path)?.Result;
        }
    }

    /// <summary>The latest snapshot of a training; null: it has not started, or it is finished and its parameters are not needed.</summary>
    public TrainingSnapshot? SnapshotOf(TrainingKey key)
    {
        lock (gate)
        {
            return entries.GetValueOrDefault(key.Path)?.Snapshot;
        }
    }

    /// <summary>Takes the state of a training over and writes a checkpoint.</summary>
    /// <param name="key">The training.</param>
    /// <param name="step">Steps it has done.</param>
    /// <param name="snapshot">Its state; null where it is finished and its parameters are not needed.</param>
    /// <param name="result">What it came to; null while it is not finished.</param>
    public void Record(TrainingKey key, long step, TrainingSnapshot? snapshot, FinetuneTraining? result)
    {
        lock (gate)
        {
            entries.GetValueOrDefault(key.Path)?.Snapshot?.Dispose();
            entries[key.Path] = new Entry(step, snapshot, result);
            CheckpointState state = new()
            {
                Kind = CheckpointKind,
                Step = entries.Values.Sum(entry => entry.Step),
                DataPosition = entries.Values.Sum(entry => entry.Step) * plan.Options.BatchSize,
                Seed = seed,
                Config = plan.Fingerprint,
                Progress = JsonSerializer.SerializeToElement(
                    entries.ToDictionary(item => item.Key, item => new Progress(item.Value.Step, item.Value.Result))
                ),
            };
            (string, Tensor)[] tensors =
            [
                .. entries.SelectMany(item =>
                    item.Value.Snapshot?.Tensors.Select(tensor => ($"{item.Key}/{tensor.Name}", tensor.Tensor)) ?? []
                ),
            ];
            reporter.Checkpoint(state.Step, checkpoints.Write(state, tensors));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Entry entry in entries.Values)
        {
            entry.Snapshot?.Dispose();
        }
    }

    private void Restore(Checkpoint checkpoint)
    {
        CheckpointState state = checkpoint.State;
        bool ours = state.Kind == CheckpointKind && state.Seed == seed && JsonElement.DeepEquals(state.Config, plan.Fingerprint);
        if (!ours || state.Progress is null)
        {
            throw new PermanentException(
                $"{checkpoint.Folder}: the checkpoint is of a {state.Kind} with seed {state.Seed} and {state.Config}, "
                    + $"this is a {CheckpointKind} with seed {seed} and {plan.Fingerprint}; start again without it"
            );
        }

        foreach ((string path, Progress progress) in state.Progress.Value.Deserialize<Dictionary<string, Progress>>()!)
        {
            TrainingSnapshot snapshot = TrainingSnapshot.Read(progress.Step, checkpoint.Tensors, path + "/");
            entries[path] = new Entry(progress.Step, snapshot.Tensors.Count > 0 ? snapshot : null, progress.Result);
        }

        reporter.Log($"fine-tuning goes on from {checkpoint.Folder}, {state.Step} steps done");
    }

    private sealed record Entry(long Step, TrainingSnapshot? Snapshot, FinetuneTraining? Result);

    private sealed record Progress(long Step, FinetuneTraining? Result);
}
