using ElectraPipeline.Training.Finetuning.Tasks;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Optimization;
using TorchSharp;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Finetuning;

/// <summary>Trains one task's model from one seed, step by step, on the calling thread.</summary>
/// <remarks>
/// A step is a function of (parameters, moments, step, seed, examples, options), so that going on from a snapshot gives the same bits as
/// never having stopped. The loss is summed over the batch, as in the official code; the clip of the gradient bounds the step.
/// </remarks>
internal sealed class TaskTrainer : IDisposable
{
    private readonly FinetuneOptions options;
    private readonly Device device;
    private readonly ulong dropoutSeed;
    private readonly FinetuneTask task;
    private readonly LengthBuckets batches;
    private readonly LearningRateSchedule schedule;
    private readonly AdamW optimizer;

    /// <summary>Makes one at step 0, its parameters drawn from <paramref name="seed"/>.</summary>
    public TaskTrainer(FinetunePlan plan, ulong seed)
    {
        options = plan.Options;
        device = plan.Device;
        task = plan.Task;
        dropoutSeed = RandomPurpose.SeedFor(seed, RandomPurpose.Dropout);
        batches = new LengthBuckets(task.Train, options.BatchSize, seed);
        TotalSteps = plan.StepsPerTraining;
        schedule = new LearningRateSchedule(options.LearningRate, (int)(options.WarmupShare * TotalSteps), TotalSteps);
        Model = new TaskModel(plan.Model, task.Head, plan.HeadDropout, device);
        Model.Initialize(seed);
        Func<string, double> rates = LayerwiseLearningRates.For(
            plan.Model.Discriminator.Layers,
            options.LayerwiseDecay,
            options.LayerwiseDecayRule == "fixed"
        );
        optimizer = new AdamW(
            [Model.Parameters],
            ParameterGroup.For(Model.Parameters.Layout, options.WeightDecay, rates),
            new AdamOptions()
        );
    }

    /// <summary>The model.</summary>
    public TaskModel Model { get; }

    /// <summary>Steps done; the next step's number.</summary>
    public long Step { get; private set; }

    /// <summary>Steps of the whole training.</summary>
    public int TotalSteps { get; }

    /// <summary>Steps in one pass over the examples.</summary>
    public int StepsPerEpoch => batches.StepsPerEpoch;

    /// <summary>One optimizer step; returns the batch's mean loss a target.</summary>
    /// <exception cref="PermanentException">Loss or gradient is not finite; parameters are as they were before the step.</exception>
    public double Train()
    {
        using var scope = NewDisposeScope();
        EncodedExample[] batch = batches.Batch(Step);
        Tensor logits = Model.Forward(Input(batch), new DropoutStream(dropoutSeed, (ulong)Step, 0));
        Tensor loss = task.Loss(logits, batch);
        loss.backward();
        double meanLoss = loss.ToSingle() / Math.Max(1, batch.Sum(example => example.Targets));
        double norm = optimizer.Reduce(AdamW.InTurn);
        if (!double.IsFinite(meanLoss) || !double.IsFinite(norm))
        {
            throw new PermanentException(
                $"fine-tuning \"{options.Name}\" diverged at step {Step}: loss {meanLoss}, gradient norm {norm}; "
                    + $"lower its learningRate ({options.LearningRate}) or raise its warmupShare ({options.WarmupShare})"
            );
        }

        optimizer.Step(schedule.At(Step), norm, AdamW.InTurn);
        Step++;
        return meanLoss;
    }

    /// <summary>Measures the model as it is on labelled examples.</summary>
    public FinetuneTraining Evaluate(int seed, IReadOnlyList<EncodedExample> examples)
    {
        using IDisposable noGrad = no_grad();
        ITaskScore score = task.NewScore();
        double loss = 0;
        // Sorted, so that a batch holds little padding; the order of examples changes none of the figures.
        foreach (EncodedExample[] batch in examples.OrderByDescending(example => example.Ids.Length).Chunk(Math.Max(options.BatchSize, 32)))
        {
            using var scope = NewDisposeScope();
            Tensor logits = Model.Forward(Input(batch), dropout: null);
            loss += task.Loss(logits, batch).ToSingle();
            score.Add(batch, logits.cpu());
        }

        return new FinetuneTraining(seed, Step, score.Figures(), loss / Math.Max(1, examples.Sum(example => (long)example.Targets)));
    }

    /// <summary>Copies of all that the next step depends on, on the CPU; the caller disposes it.</summary>
    public TrainingSnapshot Snapshot() =>
        TrainingSnapshot.Of(Step, Model.Parameters.Layout, [Model.Parameters.Values, optimizer.FirstMoments, optimizer.SecondMoments]);

    /// <summary>A copy of the parameters alone, which is what remains of a finished training; the caller disposes it.</summary>
    public TrainingSnapshot ParameterSnapshot() => TrainingSnapshot.Of(Step, Model.Parameters.Layout, [Model.Parameters.Values]);

    /// <summary>Goes on from a snapshot.</summary>
    public void Restore(TrainingSnapshot snapshot)
    {
        using IDisposable noGrad = no_grad();
        snapshot.CopyTo(Model.Parameters.Layout, [Model.Parameters.Values, optimizer.FirstMoments, optimizer.SecondMoments]);
        Step = snapshot.Step;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        optimizer.Dispose();
        Model.Dispose();
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
}
