using System.Text.Json.Nodes;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tests.Pretraining;
using ElectraPipeline.Training.Verification;
using TorchSharp;
using Xunit;

namespace ElectraPipeline.Training.Tests.Model;

public sealed class GoldenVerificationTests : IDisposable
{
    private const double Step = 1e-4;
    private readonly TemporaryFolder folder = new();

    public GoldenVerificationTests() => torch.set_num_threads(1);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Hidden_states_and_logits_equal_the_reference()
    {
        List<GoldenDifference> differences = GoldenVerification.Forward(SharedData.Require("golden/electra-tiny"), torch.CPU);
        Assert.Equal(6 + 4, differences.Count); // 3 layers and their input, 2 models, 4 outputs of 3 heads
        Assert.All(differences, difference => Assert.True(difference.Passed, difference.ToString()));
    }

    [Fact]
    public void Ten_training_steps_equal_the_reference()
    {
        List<GoldenDifference> differences = GoldenTraining.Run(SharedData.Require("golden/electra-tiny"), torch.CPU);
        Assert.True(differences.Count > (10 * 7) + (2 * 100), $"{differences.Count} comparisons");
        Assert.All(differences, difference => Assert.True(difference.Passed, difference.ToString()));
        double? worst = differences
            .Where(difference => difference.Name.Contains("final", StringComparison.Ordinal))
            .Max(difference => difference.Absolute);
        TestContext.Current.TestOutputHelper?.WriteLine($"largest difference of a final parameter: {worst}");
    }

    [Theory]
    [InlineData(16, 16, 1, 2, 16, 3, 4)] // nobody projects; a deeper generator with more heads
    [InlineData(32, 32, 2, 4, 8, 1, 1)] // the generator projects
    [InlineData(12, 24, 3, 3, 12, 2, 2)] // the discriminator projects
    [InlineData(20, 16, 2, 1, 24, 4, 2)] // both project; a wider generator
    public void Any_sizes_are_verified(
        int embedding,
        int width,
        int layers,
        int heads,
        int generatorWidth,
        int generatorLayers,
        int generatorHeads
    )
    {
        Folder(embedding, (width, layers, heads), (generatorWidth, generatorLayers, generatorHeads)).Write();
        IReadOnlyList<GoldenDifference> differences = GoldenVerification.Run(folder.Path);
        Assert.All(differences, difference => Assert.True(difference.Passed, difference.ToString()));
        Assert.Equal(
            (layers + 1) + 2 + 4,
            differences.Count(difference => difference.Name.StartsWith("forward/", StringComparison.Ordinal))
        );
        Assert.Equal(3 * 7, differences.Count(difference => difference.Name.StartsWith("training/step", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(16, 16, 1, 2, 16, 3, 4)]
    [InlineData(12, 24, 3, 3, 12, 2, 2)]
    [InlineData(20, 16, 2, 1, 24, 4, 2)]
    public void Gradients_are_the_slopes_of_the_plain_losses(
        int embedding,
        int width,
        int layers,
        int heads,
        int generatorWidth,
        int generatorLayers,
        int generatorHeads
    )
    {
        WrittenGoldenFolder source = Folder(embedding, (width, layers, heads), (generatorWidth, generatorLayers, generatorHeads));
        using var scope = torch.NewDisposeScope();
        using ElectraPretrainingModel model = source.Model();
        ExampleBatch batch = source.Batch(0);
        MaskedBatch masked = new DynamicMasking(TinyPretraining.Ids, 0.3, new MaskShares(0.85), withReplacement: false).Mask(
            batch.InputIds,
            batch.Lengths,
            batch.SecondSegmentStarts,
            5,
            0
        );
        int[] samples = [.. masked.Positions.Select((position, i) => i % 3 == 0 ? masked.OriginalIds[position] : 5 + i)];
        LossScale scale = LossScale.For(masked.Positions.Length, masked.Tokens, 1, 50);
        new ElectraObjective(model).Accumulate(masked, new WrittenGoldenFolder.Given(samples), scale, dropout: null);

        PlainElectra generator = source.Generator(model),
            discriminator = source.Discriminator(model);
        foreach (ParameterSlot slot in model.Parameters.Layout.Slots)
        {
            float[] gradient = model.Parameters.Gradient(slot.Name).contiguous().data<float>().ToArray();
            int steepest = Enumerable.Range(0, gradient.Length).MaxBy(i => Math.Abs(gradient[i]));
            double[][] places =
            [
                .. model.GeneratorNames().Where(pair => pair.Parameter == slot.Name).Select(pair => generator[pair.Name]),
                .. model.DetectionNames().Where(pair => pair.Parameter == slot.Name).Select(pair => discriminator[pair.Name]),
            ];
            double slope = (LossAt(places, steepest, Step) - LossAt(places, steepest, -Step)) / (2 * Step);
            Assert.True(
                Math.Abs(slope - gradient[steepest]) <= 1e-3 * Math.Max(Math.Abs(slope), 1e-2),
                $"{slot.Name}: {gradient[steepest]}, not {slope}"
            );
        }

        double LossAt(double[][] places, int index, double change)
        {
            Array.ForEach(places, place => place[index] += change);
            (double generated, double detected) = PlainLosses.Of(generator, discriminator, masked, samples);
            Array.ForEach(places, place => place[index] -= change);
            return generated + (50 * detected);
        }
    }

    [Theory]
    [InlineData("attention_mask", "padding")]
    [InlineData("token_type_ids", "segment 1")]
    public void A_batch_that_is_not_laid_out_as_texts_are_is_refused(string tensor, string told)
    {
        Folder(16, (32, 2, 2), (16, 1, 1)).Write();
        Change(folder["forward.safetensors"], tensor, values => values[1].narrow(0, 5, 1).fill_(tensor == "attention_mask" ? 0 : 1));
        Assert.Contains(
            told,
            Assert.Throws<PermanentException>(() => GoldenVerification.Run(folder.Path)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("\"steps\"", "\"step\"", "steps")]
    [InlineData("\"grad_norm\"", "\"norm\"", "grad_norm")]
    [InlineData("\"steps\":3", "\"steps\":4", "no step 3")]
    [InlineData("\"beta1\":0.9", "\"beta1\":\"0.9\"", "beta1")]
    public void What_is_missing_in_the_log_is_named(string text, string changed, string told)
    {
        Folder(16, (32, 2, 2), (16, 1, 1)).Write();
        string path = folder["training.json"],
            log = File.ReadAllText(path);
        Assert.Contains(text, log, StringComparison.Ordinal);
        File.WriteAllText(path, log.Replace(text, changed, StringComparison.Ordinal));
        string message = Assert.Throws<PermanentException>(() => GoldenVerification.Run(folder.Path)).Message;
        Assert.Contains(told, message, StringComparison.Ordinal);
        Assert.StartsWith(folder.Path, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.5, 0.0, 0.5, null)] // a share of nothing
    [InlineData(0.0, 0.0, 0.0, 0.0)]
    [InlineData(double.NaN, 1.0, null, null)]
    [InlineData(double.PositiveInfinity, 1.0, null, null)]
    [InlineData(3.0, 2.0, 1.0, 0.5)]
    public void A_difference_that_is_no_number_fails_and_can_be_written(double value, double reference, double? absolute, double? relative)
    {
        GoldenDifference difference = GoldenDifference.Between("x", value, reference, 1e-4);
        Assert.Equal((absolute, relative), (difference.Absolute, difference.Relative));
        Assert.Equal(absolute == 0, difference.Passed);
        Assert.Contains("\"Name\":\"x\"", System.Text.Json.JsonSerializer.Serialize(difference), StringComparison.Ordinal);
    }

    [Fact]
    public void What_differs_is_named_and_nothing_else()
    {
        Folder(16, (32, 2, 2), (16, 1, 1)).Write();
        JsonNode log = JsonNode.Parse(File.ReadAllText(folder["training.json"]))!;
        log["log"]![1]!["generator_loss"] = log["log"]![1]!["generator_loss"]!.GetValue<double>() * 1.001;
        File.WriteAllText(folder["training.json"], log.ToJsonString());
        Change(folder["heads/token_classification/model.safetensors"], "classifier.bias", bias => bias.add_(1e-3));
        IEnumerable<GoldenDifference> failed = GoldenVerification.Run(folder.Path).Where(difference => !difference.Passed);
        Assert.Equal(
            ["forward/token_classification.logits", "training/step 1 generator_loss"],
            failed.Select(difference => difference.Name)
        );
    }

    [Fact]
    public void A_device_that_is_not_there_is_refused()
    {
        Assert.SkipWhen(torch.cuda.is_available(), "there is one");
        Assert.Contains(
            "cuda",
            Assert.Throws<PermanentException>(() => GoldenVerification.Run(folder.Path, "cuda")).Message,
            StringComparison.Ordinal
        );
    }

    private WrittenGoldenFolder Folder(
        int embedding,
        (int Width, int Layers, int Heads) main,
        (int Width, int Layers, int Heads) generator
    ) =>
        new(
            folder.Path,
            new ElectraConfig
            {
                VocabularySize = 53,
                EmbeddingSize = embedding,
                MaxPositions = 40,
                Discriminator = Encoder(main),
                Generator = Encoder(generator),
                HiddenDropout = 0,
                AttentionDropout = 0,
            }
        );

    /// <summary>Writes a file again with one tensor changed.</summary>
    private static void Change(string path, string name, Action<torch.Tensor> change)
    {
        using var scope = torch.NewDisposeScope();
        List<(string Name, torch.Tensor Tensor)> tensors;
        using (SafeTensorsFile file = SafeTensorsFile.Open(path))
        {
            tensors = [.. file.Names.Select(own => (own, file.Read(own)))];
        }

        change(tensors.Single(tensor => tensor.Name == name).Tensor);
        SafeTensors.Write(path, tensors);
    }

    private static EncoderConfig Encoder((int Width, int Layers, int Heads) sizes) =>
        new()
        {
            Layers = sizes.Layers,
            HiddenSize = sizes.Width,
            IntermediateSize = (2 * sizes.Width) + 3,
            AttentionHeads = sizes.Heads,
        };
}
