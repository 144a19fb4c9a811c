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

    /// <summary>Makes an initialized model of the given sizes at step 0.</summary>
    public Pretrainer(ElectraConfig config, PretrainOptions options, SpecialIds ids, ulong seed, Device device)
    {
        options.Validate();
        this.options = options;
        this.seed = seed;
        dropoutSeed = RandomPurpose.SeedFor(seed, RandomPurpose.Dropout);
        masking = options.Masking(ids, config.VocabularySize);
        Plan = new PhasePlan(options);
        Threads = new ReplicaThreads(Math.Max(1, options.Replicas));
        var model = new ElectraPretrainingModel(config, device);
        model.Initialize(seed);
        replicas = [model, .. Enumerable.Range(1, Threads.Count - 1).Select(_ => model.Replica())];
        objectives = [.. replicas.Select(replica => PretrainingObjectives.Create(options.Objective, replica, options.Settings(ids)))];
        optimizer = new AdamW(
            [.. replicas.Select(replica => replica.Parameters)],
            ParameterGroup.For(model.Parameters.Layout, options.WeightDecay),
            new AdamOptions(options.AdamBeta1, options.AdamBeta2, options.AdamEpsilon, options.ClipNorm));
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

    /// <summary>One optimizer step on the batch of this step.</summary>
    /// <exception cref="PermanentException">The loss or the gradient is not finite; parameters are as they were before the step.</exception>
    public StepMetrics Train(ExampleBatch batch)
    {
        ObjectiveSums sums = AccumulateGradients(batch, out LossScale scale);
        double loss = (sums.GeneratorLoss * scale.Generator) + (sums.MainLoss * scale.Main);
        using StepClock.Section optimizing = Clock.Enter(StepPart.Optimizer);
        double norm = optimizer.Reduce(Threads.RunEach);
        if (!double.IsFinite(loss) || !double.IsFinite(norm))
        {
            throw new PermanentException(
                $"pre-training diverged at step {Step}: loss {loss} (generator {sums.MeanGeneratorLoss}, main model "
                + $"{sums.MeanMainLoss}), gradient norm {norm}; lower pretrain.learningRate ({options.LearningRate}) or raise "
                + $"pretrain.warmupSteps ({options.WarmupSteps})");
        }

        double rate = Plan.LearningRate(Step);
        optimizer.Step(rate, norm, Threads.RunEach);
        return new StepMetrics(Step++, sums, loss, rate, norm);
    }

    /// <summary>All that the next step depends on: parameters and moments by name. Belongs to the caller's dispose scope.</summary>
    public IReadOnlyList<(string Name, Tensor Tensor)> State() => [.. Stored().SelectMany(stored =>
        Model.Parameters.Layout.Slots.Select(slot => (stored.Prefix + slot.Name, View(stored.Flat, slot))))];

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
                Tensor target = View(flat, slot), source = tensors.Read(prefix + slot.Name);
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
                Tensor target = View(flat, slot), source = tensors.Read(prefix + slot.Name);
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
        foreach (ElectraPretrainingModel replica in replicas.Reverse())
        {
            replica.Dispose();
        }
    }

    private ObjectiveSums AccumulateGradients(ExampleBatch batch, out LossScale scale)
    {
        MaskedBatch masked = Mask(batch);
        scale = objectives[0].ScaleOf(masked);
        int share = (batch.BatchSize + Threads.Count - 1) / Threads.Count; // no replica idles while another has the whole batch
        int size = Math.Min(Plan.At(Step).MicroBatchSize, share);
        int count = (batch.BatchSize + size - 1) / size;
        var sums = new ObjectiveSums[count];
        LossScale factors = scale;
        using StepClock.Section waiting = Clock.Enter(StepPart.Waiting);
        Threads.RunEach(count, index =>
        {
            PretrainingObjective objective = objectives[index % Threads.Count];
            (MaskedBatch part, TokenReplacement sampler) = Cut(masked, index, size, objective.Clock);
            var dropout = new DropoutStream(dropoutSeed, (ulong)Step, (ulong)index);
            sums[index] = objective.Accumulate(part, sampler, factors, dropout);
        });
        return sums.Aggregate((total, part) => total + part);
    }

    private MaskedBatch Mask(ExampleBatch batch)
    {
        using StepClock.Section data = Clock.Enter(StepPart.Data);
        return masking.Mask(batch.InputIds, batch.Lengths, batch.SecondSegmentStarts, seed, Step);
    }

    private (MaskedBatch Part, TokenReplacement Sampler) Cut(MaskedBatch masked, int index, int size, StepClock clock)
    {
        using StepClock.Section data = clock.Enter(StepPart.Data);
        MaskedBatch part = masked.Slice(index * size, Math.Min(size, masked.Count - (index * size)));
        return (part, new TokenReplacement(part, seed, Step, options.Temperature, options.DisallowCorrect));
    }

    private static void Copy(Tensor source, Tensor target, ParameterSlot slot, string path)
    {
        bool grows = slot.Initial == InitialValue.Position && source.shape[1] == target.shape[1] && source.shape[0] < target.shape[0];
        if (!grows && !source.shape.SequenceEqual(target.shape))
        {
            throw new PermanentException(
                $"{path}: \"{slot.Name}\" is [{string.Join(", ", source.shape)}], the model's is [{string.Join(", ", target.shape)}]: set the sizes "
                + "of the model section to those of the other training");
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
