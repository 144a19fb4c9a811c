using System.Text.Json.Nodes;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Verification;
using TorchSharp;
using Xunit;

namespace ElectraPipeline.Training.Tests.Model;

public sealed class GoldenVerificationTests : IDisposable
{
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
        double worst = differences.Where(difference => difference.Name.Contains("final", StringComparison.Ordinal)).Max(difference => difference.Absolute);
        TestContext.Current.TestOutputHelper?.WriteLine($"largest difference of a final parameter: {worst}");
    }

    [Theory]
    [InlineData(16, 16, 1, 2, 16, 3, 4)] // nobody projects; a deeper generator with more heads
    [InlineData(32, 32, 2, 4, 8, 1, 1)] // the generator projects
    [InlineData(12, 24, 3, 3, 12, 2, 2)] // the discriminator projects
    [InlineData(20, 16, 2, 1, 24, 4, 2)] // both project; a wider generator
    public void Any_sizes_are_verified(int embedding, int width, int layers, int heads, int generatorWidth, int generatorLayers, int generatorHeads)
    {
        WriteFolder(embedding, (width, layers, heads), (generatorWidth, generatorLayers, generatorHeads));
        IReadOnlyList<GoldenDifference> differences = GoldenVerification.Run(folder.Path);
        Assert.All(differences, difference => Assert.True(difference.Passed, difference.ToString()));
        Assert.Equal((layers + 1) + 2 + 4, differences.Count(difference => difference.Name.StartsWith("forward/", StringComparison.Ordinal)));
        Assert.Equal(3 * 7, differences.Count(difference => difference.Name.StartsWith("training/step", StringComparison.Ordinal)));
    }

    [Fact]
    public void What_differs_is_named_and_nothing_else()
    {
        WriteFolder(16, (32, 2, 2), (16, 1, 1));
        JsonNode log = JsonNode.Parse(File.ReadAllText(folder["training.json"]))!;
        log["log"]![1]!["generator_loss"] = log["log"]![1]!["generator_loss"]!.GetValue<double>() * 1.001;
        File.WriteAllText(folder["training.json"], log.ToJsonString());
        string weights = folder["heads/token_classification/model.safetensors"];
        using (var scope = torch.NewDisposeScope())
        {
            List<(string Name, torch.Tensor Tensor)> tensors;
            using (SafeTensorsFile file = SafeTensorsFile.Open(weights))
            {
                tensors = [.. file.Names.Select(name => (name, file.Read(name)))];
            }

            tensors.Single(tensor => tensor.Name == "classifier.bias").Tensor.add_(1e-3);
            SafeTensors.Write(weights, tensors);
        }

        IEnumerable<GoldenDifference> failed = GoldenVerification.Run(folder.Path).Where(difference => !difference.Passed);
        Assert.Equal(["forward/token_classification.logits", "training/step 1 generator_loss"], failed.Select(difference => difference.Name));
    }

    [Fact]
    public void A_device_that_is_not_there_is_refused()
    {
        Assert.SkipWhen(torch.cuda.is_available(), "there is one");
        Assert.Contains("cuda", Assert.Throws<PermanentException>(() => GoldenVerification.Run(folder.Path, "cuda")).Message, StringComparison.Ordinal);
    }

    private void WriteFolder(int embedding, (int Width, int Layers, int Heads) main, (int Width, int Layers, int Heads) generator) =>
        new WrittenGoldenFolder(folder.Path, new ElectraConfig
        {
            VocabularySize = 53,
            EmbeddingSize = embedding,
            MaxPositions = 40,
            Discriminator = Encoder(main),
            Generator = Encoder(generator),
            HiddenDropout = 0,
            AttentionDropout = 0,
        }).Write();

    private static EncoderConfig Encoder((int Width, int Layers, int Heads) sizes) =>
        new() { Layers = sizes.Layers, HiddenSize = sizes.Width, IntermediateSize = (2 * sizes.Width) + 3, AttentionHeads = sizes.Heads };
}
