using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Optimization;
using ElectraPipeline.Training.Shards;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>Trains all networks of an objective together, one optimizer step at a time.</summary>
/// <remarks>
/// A step is a function of (parameters, moments, step, batch, seed, options): nothing else is remembered between steps, so that going on
/// from a checkpoint gives the same bits as never having stopped. The batch is cut into micro-batches; micro-batch i belongs to replica
/// i mod R, each replica adds up its own gradients, and the sums are added in replica order.
/// </remarks>
internal sealed class Pretrainer : IDisposable
{
    private const string ParameterPrefix = "parameters.";
    private const string FirstMomentPrefix = "adam_first.";
    private const string SecondMomentPrefix = "adam_second.";

    private readonly PretrainOptions options;
    private readonly ulong seed;
    private readonly ulong dropoutSeed;
    private readonly DynamicMasking masking;
    private readonly ElectraPretrainingModel[] replicas;
    private readonly PretrainingObjective[] objectives;
    private readonly AdamW optimizer;
    private readonly Tensor healthy;

    /// <summary>Makes an initialized model of the given sizes at step 0.</summary>
    /// <param name="config">The sizes.</param>
    /// <param name="options">How to train.</param>
    /// <param name="ids">Tokens that are never masked.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="onHost">False: on the CPU too, work as on other devices.</param>
    public Pretrainer(ElectraConfig config, PretrainOptions options, SpecialIds ids, ulong seed, Device device, bool onHost = true)
    {
        options.Validate();
        this.options = options;
        this.seed = seed;
        dropoutSeed = RandomPurpose.SeedFor(seed, RandomPurpose.Dropout);
        masking = options.Masking(ids, config.VocabularySize);
        Plan = new PhasePlan(options);
        Threads = new ReplicaThreads(Math.Max(1, options.Replicas));
        var model = new ElectraPretrainingModel(config, device, options.ProductType);
        model.Initialize(seed);
        replicas = [model, .. Enumerable.Range(1, Threads.Count - 1).Select(_ => model.Replica())];
        objectives = [.. replicas.Select(replica => PretrainingObjectives.Create(options.Objective, replica, options.Settings(ids)))];
        optimizer = new AdamW(
            [.. replicas.Select(replica => replica.Parameters)],
            ParameterGroup.For(model.Parameters.Layout, options.WeightDecay),
            new AdamOptions(options.AdamBeta1, options.AdamBeta2, options.AdamEpsilon, options.ClipNorm),
            onHost
        );
        healthy = ones(1, ScalarType.Bool, device).squeeze(0).DetachFromDisposeScope();
    }

    /// <summary>What holds at which step.</summary>
    public PhasePlan Plan { get; }

    /// <summary>Steps done; the next step's number.</summary>
    public long Step { get; private set; }

    /// <summary>The model as the first replica sees it.</summary>
    public ElectraPretrainingModel Model => replicas[0];

    /// <summary>The replicas' objectives, one for each thread of <see cref="Threads"/>.</summary>
    public IReadOnlyList<PretrainingObjective> Objectives => objectives;

    /// <summary>Where the first replica's thread, the caller's, spends its time.</summary>
    public StepClock Clock => objectives[0].Clock;

    /// <summary>The replicas' threads.</summary>
    public ReplicaThreads Threads { get; }

    /// <summary>Whether the device computes beside the host, which then should prepare ahead and read seldom.</summary>
    public bool RunsBesideHost => !optimizer.IsOnHost;

    /// <summary>One optimizer step on the batch of this step, prepared, run and read.</summary>
    /// <exception cref="PermanentException">As <see cref="Begin"/> and <see cref="Finish"/>.</exception>
    public StepMetrics Train(ExampleBatch batch)
    {
        using PreparedStep prepared = Prepare(batch, Step);
        return Finish(Begin(prepared));
    }

    /// <summary>Sequences that a replica computes at once: no replica idles while another has the whole batch.</summary>
    public int MicroBatchSizeOf(int batchSize, long step) =>
        Math.Min(Plan.At(step).MicroBatchSize, (batchSize + Threads.Count - 1) / Threads.Count);

    /// <summary>Masks a step's batch and starts its way to the device; depends on no step before it, and may run beside one.</summary>
    public PreparedStep Prepare(ExampleBatch batch, long step)
    {
        using var scope = NewDisposeScope();
        MaskedBatch masked = masking.Mask(batch.InputIds, batch.Lengths, batch.SecondSegmentStarts, seed, step);
        int size = MicroBatchSizeOf(batch.BatchSize, step);
        var parts = new (DeviceBatch, ITokenSampler)[(batch.BatchSize + size - 1) / size];
        for (int i = 0; i < parts.Length; i++)
        {
            MaskedBatch part = masked.Slice(i * size, Math.Min(size, batch.BatchSize - (i * size)));
            parts[i] = (
                new DeviceBatch(part, Model.Parameters.Values.device).Detach(),
                new TokenReplacement(part, seed, step, options.Temperature, options.DisallowCorrect)
            );
        }

        return new PreparedStep(step, objectives[0].ScaleOf(masked), parts);
    }

    /// <summary>
    /// Runs this step. On a device of its own, nothing is waited for: the figures are read by <see cref="Finish"/>, and a loss or gradient
    /// that is not finite keeps this step and all later ones from changing anything.
    /// </summary>
    /// <exception cref="PermanentException">On the CPU: loss or gradient are not finite; parameters are as they were before the
    /// step.</exception>
    public PendingStep Begin(PreparedStep prepared)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(prepared.Step, Step);
        PendingSums[] sums = AccumulateGradients(prepared);
        using StepClock.Section optimizing = Clock.Enter(StepPart.Optimizer);
        double rate = Plan.LearningRate(Step);
        PendingStep pending = optimizer.IsOnHost ? StepOnHost(sums, prepared.Scale, rate) : StepOnDevice(sums, prepared.Scale, rate);
        Step++;
        return pending;
    }

    /// <summary>Reads what a step came to, and disposes it.</summary>
    /// <exception cref="PermanentException">Loss or gradient were not finite; parameters are as they were before the step.</exception>
    public StepMetrics Finish(PendingStep pending)
    {
        using (pending)
        {
            return Check(pending.Read());
        }
    }

    /// <summary>All that the next step depends on: parameters and moments by name. Belongs to the caller's dispose scope.</summary>
    public IReadOnlyList<(string Name, Tensor Tensor)> State() =>
        [
            .. Stored()
                .SelectMany(stored => Model.Parameters.Layout.Slots.Select(slot => (stored.Prefix + slot.Name, View(stored.Flat, slot)))),
        ];

    /// <summary>Goes on from what <see cref="State"/> gave at the end of a step.</summary>
    /// <exception cref="PermanentException">A tensor is missing or of another shape.</exception>
    public void Restore(long step, SafeTensorsFile tensors)
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        foreach ((string prefix, Tensor flat) in Stored())
        {
            foreach (ParameterSlot slot in Model.Parameters.Layout.Slots)
            {
                Tensor target = View(flat, slot),
                    source = tensors.Read(prefix + slot.Name);
                if (!source.shape.SequenceEqual(target.shape))
                {
                    throw new PermanentException($"{tensors.Path}: \"{prefix}{slot.Name}\" has another shape than the model");
                }

                target.copy_(source);
            }
        }

        Step = step;
    }

    /// <summary>
    /// Takes over parameters and moments of the same names from another training, at this one's step. Position embeddings may have fewer
    /// rows there: the others keep their first values.
    /// </summary>
    /// <returns>Names of the parameters taken over.</returns>
    /// <exception cref="PermanentException">A tensor is of another shape.</exception>
    public IReadOnlySet<string> Adopt(SafeTensorsFile tensors)
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        HashSet<string> taken = [];
        foreach ((string prefix, Tensor flat) in Stored())
        {
            foreach (ParameterSlot slot in Model.Parameters.Layout.Slots.Where(slot => tensors.Contains(prefix + slot.Name)))
            {
                Tensor target = View(flat, slot),
                    source = tensors.Read(prefix + slot.Name);
                Copy(source, target, slot, tensors.Path);
                taken.Add(slot.Name);
            }
        }

        return taken;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Threads.Dispose();
        optimizer.Dispose();
        healthy.Dispose();
        foreach (ElectraPretrainingModel replica in replicas.Reverse())
        {
            replica.Dispose();
        }
    }

    private PendingSums[] AccumulateGradients(PreparedStep prepared)
    {
        var sums = new PendingSums[prepared.Parts.Length];
        using StepClock.Section waiting = Clock.Enter(StepPart.Waiting);
        Threads.RunEach(
            sums.Length,
            index =>
            {
                (DeviceBatch batch, ITokenSampler sampler) = prepared.Parts[index];
                var dropout = new DropoutStream(dropoutSeed, (ulong)prepared.Step, (ulong)index);
                sums[index] = objectives[index % Threads.Count].Begin(batch, sampler, prepared.Scale, dropout);
            }
        );
        return sums;
    }

    private PendingStep StepOnHost(PendingSums[] sums, LossScale scale, double rate)
    {
        double norm = optimizer.Reduce(Threads.RunEach);
        var pending = new PendingStep(Step, sums, scale, rate, tensor(norm).DetachFromDisposeScope());
        Check(pending.Read());
        optimizer.Step(rate, norm, Threads.RunEach);
        return pending;
    }

    private PendingStep StepOnDevice(PendingSums[] sums, LossScale scale, double rate)
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor norm = optimizer.ReduceOnDevice();
        Tensor finite = stack(sums.Select(part => part.Values)).isfinite().all().logical_and(norm.isfinite());
        healthy.copy_(healthy.logical_and(finite));
        optimizer.StepOnDevice(rate, norm, healthy);
        return new PendingStep(Step, sums, scale, rate, norm.DetachFromDisposeScope());
    }

    private StepMetrics Check(StepMetrics metrics) =>
        double.IsFinite(metrics.Loss) && double.IsFinite(metrics.GradientNorm)
            ? metrics
            : throw new PermanentException(
                $"pre-training diverged at step {metrics.Step}: loss {metrics.Loss} (generator {metrics.Sums.MeanGeneratorLoss}, "
                    + "main model "
                    + $"{metrics.Sums.MeanMainLoss}), gradient norm {metrics.GradientNorm}; "
                    + $"lower pretrain.learningRate ({options.LearningRate}) or raise pretrain.warmupSteps ({options.WarmupSteps})"
            );

    private static void Copy(Tensor source, Tensor target, ParameterSlot slot, string path)
    {
        bool grows = slot.Initial == InitialValue.Position && source.shape[1] == target.shape[1] && source.shape[0] < target.shape[0];
        if (!grows && !source.shape.SequenceEqual(target.shape))
        {
            throw new PermanentException(
                $"{path}: \"{slot.Name}\" is [{string.Join(", ", source.shape)}], the model's is "
                    + $"[{string.Join(", ", target.shape)}]: set the sizes of the model section to those of the other training"
            );
        }

        (grows ? target.narrow(0, 0, source.shape[0]) : target).copy_(source);
    }

    private (string Prefix, Tensor Flat)[] Stored() =>
        [
            (ParameterPrefix, Model.Parameters.Values),
            (FirstMomentPrefix, optimizer.FirstMoments),
            (SecondMomentPrefix, optimizer.SecondMoments),
        ];

    private static Tensor View(Tensor flat, ParameterSlot slot) => flat.narrow(0, slot.Offset, slot.Length).view([.. slot.Shape]);
}
