using ElectraPipeline.Training.Finetuning.Metrics;
using ElectraPipeline.Training.Finetuning.Tasks;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Optimization;
using TorchSharp;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Finetuning;

/// <summary>Trains one classifier from one seed, step by step, on the calling thread.</summary>
/// <remarks>
/// A step is a function of (parameters, moments, step, seed, examples, options), so that going on from a snapshot gives the same bits as
/// never having stopped. The loss is summed over the batch, as in the official code; the clip of the gradient bounds the step.
/// </remarks>
internal sealed class ClassifierTrainer : IDisposable
{
    private readonly FinetuneOptions options;
    private readonly Device device;
    private readonly ulong dropoutSeed;
    private readonly int classes;
    private readonly LengthBuckets batches;
    private readonly LearningRateSchedule schedule;
    private readonly AdamW optimizer;

    /// <summary>Makes one at step 0, its parameters drawn from <paramref name="seed"/>.</summary>
    public ClassifierTrainer(FinetunePlan plan, ulong seed)
    {
        options = plan.Options;
        device = plan.Device;
        classes = plan.Labels.Count;
        dropoutSeed = RandomPurpose.SeedFor(seed, RandomPurpose.Dropout);
        batches = new LengthBuckets(plan.Train, options.BatchSize, seed);
        TotalSteps = plan.StepsPerTraining;
        schedule = new LearningRateSchedule(options.LearningRate, (int)(options.WarmupShare * TotalSteps), TotalSteps);
        Classifier = new SequenceClassifier(plan.Model, classes, plan.HeadDropout, device);
        Classifier.Initialize(seed);
        Func<string, double> rates = LayerwiseLearningRates.For(
            plan.Model.Discriminator.Layers, options.LayerwiseDecay, options.LayerwiseDecayRule == "fixed");
        optimizer = new AdamW(
            [Classifier.Parameters], ParameterGroup.For(Classifier.Parameters.Layout, options.WeightDecay, rates), new AdamOptions());
    }

    /// <summary>The model.</summary>
    public SequenceClassifier Classifier { get; }

    /// <summary>Steps done; the next step's number.</summary>
    public long Step { get; private set; }

    /// <summary>Steps of the whole training.</summary>
    public int TotalSteps { get; }

    /// <summary>Steps in one pass over the examples.</summary>
    public int StepsPerEpoch => batches.StepsPerEpoch;

    /// <summary>One optimizer step; returns the batch's mean loss, in nats.</summary>
    /// <exception cref="PermanentException">Loss or gradient is not finite; parameters are as they were before the step.</exception>
    public double Train()
    {
        using var scope = NewDisposeScope();
        if (device.type != DeviceType.CPU)
        {
            // Off the CPU dropout comes from LibTorch's generator, which must then be a function of the step.
            manual_seed((long)(CounterRandom.Mix(dropoutSeed + (ulong)Step) >> 1));
        }

        EncodedExample[] batch = batches.Batch(Step);
        Tensor logits = Classifier.Forward(Input(batch), new DropoutStream(dropoutSeed, (ulong)Step, 0));
        Tensor loss = nn.functional.cross_entropy(logits, Labels(batch), reduction: nn.Reduction.Sum);
        loss.backward();
        double meanLoss = loss.ToSingle() / batch.Length;
        double norm = optimizer.Reduce(RunHere);
        if (!double.IsFinite(meanLoss) || !double.IsFinite(norm))
        {
            throw new PermanentException(
                $"fine-tuning \"{options.Name}\" diverged at step {Step}: loss {meanLoss}, gradient norm {norm}; "
                + $"lower its learningRate ({options.LearningRate}) or raise its warmupShare ({options.WarmupShare})");
        }

        optimizer.Step(schedule.At(Step), norm, RunHere);
        Step++;
        return meanLoss;
    }

    /// <summary>Measures the model as it is on labelled examples.</summary>
    public FinetuneTraining Evaluate(int seed, IReadOnlyList<EncodedExample> examples)
    {
        using IDisposable noGrad = no_grad();
        int[] truth = new int[examples.Count], predicted = new int[examples.Count];
        double loss = 0;
        int done = 0;
        // Sorted, so that a batch holds little padding; the order of examples changes none of the figures.
        foreach (EncodedExample[] batch in examples.OrderByDescending(example => example.Ids.Length).Chunk(Math.Max(options.BatchSize, 32)))
        {
            using var scope = NewDisposeScope();
            Tensor logits = Classifier.Forward(Input(batch), dropout: null);
            loss += nn.functional.cross_entropy(logits, Labels(batch), reduction: nn.Reduction.Sum).ToSingle();
            long[] answers = logits.argmax(1).cpu().data<long>().ToArray();
            for (int i = 0; i < batch.Length; i++, done++)
            {
                (truth[done], predicted[done]) = (batch[i].Label, (int)answers[i]);
            }
        }

        ConfusionMatrix matrix = new(classes, truth, predicted);
        return new FinetuneTraining(
            seed,
            Step,
            matrix.Accuracy,
            matrix.MacroF1,
            matrix.MicroF1,
            matrix.Matthews,
            classes == 2 ? matrix.F1(1) : null,
            loss / examples.Count);
    }

    /// <summary>Copies of all that the next step depends on, on the CPU; the caller disposes it.</summary>
    public TrainingSnapshot Snapshot() => TrainingSnapshot.Of(
        Step, Classifier.Parameters.Layout, [Classifier.Parameters.Values, optimizer.FirstMoments, optimizer.SecondMoments]);

    /// <summary>A copy of the parameters alone, which is what remains of a finished training; the caller disposes it.</summary>
    public TrainingSnapshot ParameterSnapshot() => TrainingSnapshot.Of(Step, Classifier.Parameters.Layout, [Classifier.Parameters.Values]);

    /// <summary>Goes on from a snapshot.</summary>
    public void Restore(TrainingSnapshot snapshot)
    {
        using IDisposable noGrad = no_grad();
        snapshot.CopyTo(Classifier.Parameters.Layout, [Classifier.Parameters.Values, optimizer.FirstMoments, optimizer.SecondMoments]);
        Step = snapshot.Step;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        optimizer.Dispose();
        Classifier.Dispose();
    }

    private static void RunHere(int count, Action<int> work)
    {
        for (int i = 0; i < count; i++)
        {
            work(i);
        }
    }

    private EncoderInput Input(EncodedExample[] batch)
    {
        int length = batch.Max(example => example.Ids.Length);
        int[] ids = new int[batch.Length * length];
        for (int i = 0; i < batch.Length; i++)
        {
            batch[i].Ids.CopyTo(ids, i * length); // padding keeps id 0: it is masked, any id will do
        }

        int[] lengths = Array.ConvertAll(batch, example => example.Ids.Length);
        return EncoderInput.Create(ids, lengths, Array.ConvertAll(batch, example => example.SecondSegment), device);
    }

    private Tensor Labels(EncodedExample[] batch) => tensor(Array.ConvertAll(batch, example => (long)example.Label), device: device);
}
