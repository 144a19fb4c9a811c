using System.Text.Json;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Optimization;
using TorchSharp;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Verification;

/// <summary>Replays recorded training steps: objective, gradients, optimizer and schedule against another implementation's.</summary>
internal sealed class GoldenTraining : IDisposable
{
    private const double LossTolerance = 1e-4;
    private const double GradientTolerance = 1e-4;
    private const double ParameterTolerance = 1e-4;
    private readonly string logPath;
    private readonly JsonDocument log;
    private readonly JsonElement hyperparameters;
    private readonly SafeTensorsFile file;
    private readonly ElectraPretrainingModel model;
    private readonly AdamW optimizer;
    private readonly LearningRateSchedule schedule;
    private readonly List<GoldenDifference> differences = [];

    private GoldenTraining(GoldenFolder golden, Device device)
    {
        logPath = golden.File("training.json");
        log = golden.Json("training.json");
        hyperparameters = Of(log.RootElement, "hyperparameters");
        file = SafeTensorsFile.Open(golden.File("training.safetensors"));
        model = golden.LoadModel(device);
        optimizer = new AdamW(
            [model.Parameters],
            ParameterGroup.For(model.Parameters.Layout, Number("weight_decay")),
            new AdamOptions(Number("beta1"), Number("beta2"), Number("eps"), Number("clip_norm"))
        );
        schedule = new LearningRateSchedule(Number("learning_rate"), (int)Number("warmup_steps"), (int)Number("total_steps"));
    }

    /// <summary>Replays all steps and compares losses, norms, samples, the first gradients and the last parameters.</summary>
    public static List<GoldenDifference> Run(string folder, Device device)
    {
        using var scope = NewDisposeScope();
        using var training = new GoldenTraining(new GoldenFolder(folder), device);
        int steps = (int)training.Number("steps");
        for (int step = 0; step < steps; step++)
        {
            training.Replay(step);
        }

        training.Compare("final", "final parameters", training.model.Parameters.Value, ParameterTolerance, relative: false);
        return training.differences;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        optimizer.Dispose();
        model.Dispose();
        file.Dispose();
        log.Dispose();
    }

    private void Replay(int step)
    {
        using var scope = NewDisposeScope();
        JsonElement expected = StepOf(step);
        MaskedBatch batch = ReadBatch(step);
        var sampler = new RecordedSamples(file, $"step{step}.");
        LossScale scale = LossScale.For(batch.Positions.Length, batch.Tokens, Number("gen_weight"), Number("disc_weight"));
        ObjectiveSums sums = new ElectraObjective(model).Accumulate(batch, sampler, scale, dropout: null);
        if (step == 0)
        {
            Compare("grad0", "first gradients", model.Parameters.Gradient, GradientTolerance, relative: true);
        }

        double norm = optimizer.Reduce(AdamW.InTurn);
        double rate = schedule.At(step);
        optimizer.Step(rate, norm, AdamW.InTurn);

        CompareNumber("generator_loss", sums.MeanGeneratorLoss);
        CompareNumber("discriminator_loss", sums.MeanMainLoss);
        CompareNumber("loss", (sums.GeneratorLoss * scale.Generator) + (sums.MainLoss * scale.Main));
        CompareNumber("grad_norm", norm);
        CompareNumber("learning_rate", rate);
        differences.Add(GoldenDifference.Between($"training/step {step} samples that differ", sampler.Different, 0, 0));
        differences.Add(
            GoldenDifference.Between($"training/step {step} corrupted tokens that differ", CorruptedDifference(step, batch, sampler), 0, 0)
        );

        void CompareNumber(string name, double value) =>
            differences.Add(GoldenDifference.Between($"training/step {step} {name}", value, Number(expected, name), LossTolerance));
    }

    private MaskedBatch ReadBatch(int step)
    {
        string prefix = $"step{step}.";
        Tensor mask = file.Read(prefix + "attention_mask");
        int length = (int)mask.shape[1];
        int[] lengths = GoldenVerification.Lengths(mask);
        int[] positions = GoldenVerification.Ints(file.Read(prefix + "masked_positions"));
        float[] weights = file.Read(prefix + "masked_weights").data<float>().ToArray();
        int perSequence = positions.Length / lengths.Length;
        return new MaskedBatch
        {
            Length = length,
            OriginalIds = GoldenVerification.Ints(file.Read(prefix + "input_ids")),
            MaskedIds = GoldenVerification.Ints(file.Read(prefix + "masked_input_ids")),
            Lengths = lengths,
            SecondSegments = GoldenVerification.SecondSegments(file.Read(prefix + "token_type_ids"), lengths),
            Positions = [.. positions.Select((position, i) => (i / perSequence * length) + position).Where((_, i) => weights[i] > 0)],
            Examples = [.. Enumerable.Range(0, lengths.Length)],
        };
    }

    private double CorruptedDifference(int step, MaskedBatch batch, RecordedSamples sampler)
    {
        CorruptedBatch corrupted = TokenReplacement.Corrupt(new DeviceBatch(batch, CPU), sampler.Recorded);
        int[] ids = GoldenVerification.Ints(file.Read($"step{step}.corrupted_ids"));
        int[] replaced = GoldenVerification.Ints(file.Read($"step{step}.is_replaced"));
        return GoldenVerification.Ints(corrupted.Ids).Zip(ids).Count(pair => pair.First != pair.Second)
            + corrupted.Replaced.data<float>().ToArray().Zip(replaced).Count(pair => pair.First != pair.Second);
    }

    private void Compare(string prefix, string what, Func<string, Tensor> value, double tolerance, bool relative)
    {
        using var scope = NewDisposeScope();
        foreach (ParameterSlot slot in model.Parameters.Layout.Slots)
        {
            Tensor expected = file.Read($"{prefix}.{slot.Name}");
            double size = relative ? Math.Max(1, expected.abs().max().item<float>()) : 1;
            differences.Add(GoldenVerification.Between($"training/{what} {slot.Name}", value(slot.Name).cpu(), expected, tolerance * size));
        }
    }

    private double Number(string name) => Number(hyperparameters, name);

    private double Number(JsonElement element, string name) =>
        Of(element, name) is { ValueKind: JsonValueKind.Number } number
            ? number.GetDouble()
            : throw new PermanentException($"{logPath}: \"{name}\" is not a number");

    private JsonElement StepOf(int step) =>
        Of(log.RootElement, "log") is { ValueKind: JsonValueKind.Array } steps && step < steps.GetArrayLength()
            ? steps[step]
            : throw new PermanentException($"{logPath}: \"log\" has no step {step}, \"steps\" says {Number("steps")}");

    private JsonElement Of(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value)
            ? value
            : throw new PermanentException($"{logPath}: \"{name}\" is missing");

    /// <summary>
    /// Gives back recorded samples, and counts where argmax(logits + recorded Gumbel noise) would have been another token.
    /// </summary>
    private sealed class RecordedSamples : ITokenSampler
    {
        private readonly Tensor noise;

        public RecordedSamples(SafeTensorsFile file, string prefix)
        {
            Tensor weights = file.Read(prefix + "masked_weights").view(-1);
            Tensor kept = weights.greater(0);
            noise = file.Read(prefix + "uniform_noise").view(weights.shape[0], -1)[kept];
            Recorded = file.Read(prefix + "sampled_ids").view(-1)[kept].to(ScalarType.Int64);
        }

        public Tensor Recorded { get; }

        public int Different { get; private set; }

        public Tensor Sample(Tensor logits, Tensor probabilities, int[] positions)
        {
            using var scope = NewDisposeScope();
            Tensor rows = Upload.Longs(positions, CPU),
                samples = Recorded.index_select(0, rows).to(logits.device);
            Tensor uniform = noise.index_select(0, rows).to(logits.device);
            Tensor gumbel = -((-uniform.Plus(1e-9).log()).Plus(1e-9).log());
            Different += (int)logits.Plus(gumbel).argmax(-1).not_equal(samples).sum().ToInt64();
            return samples.MoveToOuterDisposeScope();
        }
    }
}
