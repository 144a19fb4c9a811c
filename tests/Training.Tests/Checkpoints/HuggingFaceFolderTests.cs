using System.Text.Json;
using System.Text.Json.Nodes;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Checkpoints;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Checkpoints;

public sealed class HuggingFaceFolderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("electra-huggingface").FullName;

    public HuggingFaceFolderTests() => set_num_threads(1);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("discriminator", ElectraArchitecture.PreTraining)]
    [InlineData("generator", ElectraArchitecture.MaskedLanguageModel)]
    [InlineData("heads/sequence_classification", ElectraArchitecture.SequenceClassification)]
    [InlineData("heads/token_classification", ElectraArchitecture.TokenClassification)]
    [InlineData("heads/question_answering", ElectraArchitecture.QuestionAnswering)]
    public void A_golden_folder_written_again_is_the_same_model(string name, string architecture)
    {
        string golden = SharedData.Require("golden/electra-tiny/" + name);
        using HuggingFaceModel model = HuggingFaceFolder.Read(golden, architecture);
        (string, Tensor)[] tensors = [.. model.Tensors.Reverse().Select(item => (item.Key, item.Value))];
        HuggingFaceFolder.Write(folder, model.Config, architecture, tensors);

        AssertSameTensors(Path.Combine(golden, "model.safetensors"), Path.Combine(folder, "model.safetensors"));
        AssertSameConfig(Path.Combine(golden, "config.json"), Path.Combine(folder, "config.json"));
        using HuggingFaceModel again = HuggingFaceFolder.Read(folder, architecture);
        Assert.Equal(model.Tensors.Keys, again.Tensors.Keys);
        Assert.All(model.Tensors, item => Assert.True(item.Value.bytes.SequenceEqual(again.Tensors[item.Key].bytes), item.Key));
    }

    [Theory]
    [InlineData("heads/token_classification", ElectraArchitecture.TokenClassification, 5)]
    [InlineData("heads/question_answering", ElectraArchitecture.QuestionAnswering, 2)]
    public void Other_heads_are_read_whole(string name, string architecture, int outputs)
    {
        using HuggingFaceModel model = HuggingFaceFolder.Read(SharedData.Require("golden/electra-tiny/" + name), architecture);
        Assert.Equal(outputs, model.Config.Labels.Count);
        Assert.Equal(outputs, model.Tensors.Last().Value.shape[0]);
    }

    [Fact]
    public void Equal_sizes_have_no_projection_and_redundant_names_are_ignored()
    {
        using var scope = NewDisposeScope();
        HuggingFaceConfig config = Tiny with { EmbeddingSize = Tiny.HiddenSize };
        (string Name, Tensor Tensor)[] tensors = Random(config, ElectraArchitecture.MaskedLanguageModel);
        Assert.DoesNotContain(tensors, item => item.Name.Contains("embeddings_project"));
        HuggingFaceFolder.WriteGenerator(
            folder,
            config,
            [.. tensors, ("generator_lm_head.weight", ones(config.VocabSize, config.EmbeddingSize))]
        );
        using HuggingFaceModel model = HuggingFaceFolder.Read(folder, ElectraArchitecture.MaskedLanguageModel);
        Assert.Equal(tensors.Select(item => item.Name), model.Tensors.Keys);
    }

    [Fact]
    public void A_multiple_choice_head_has_hugging_faces_names_and_shapes()
    {
        using var scope = NewDisposeScope();
        HuggingFaceFolder.Write(folder, Tiny, ElectraArchitecture.MultipleChoice, Random(Tiny, ElectraArchitecture.MultipleChoice));
        using HuggingFaceModel model = HuggingFaceFolder.Read(folder, ElectraArchitecture.MultipleChoice);
        Assert.Equal(
            ["sequence_summary.summary.weight 8,8", "sequence_summary.summary.bias 8", "classifier.weight 1,8", "classifier.bias 1"],
            model.Tensors.TakeLast(4).Select(item => $"{item.Key} {string.Join(',', item.Value.shape)}")
        );
        Assert.Contains("ElectraForMultipleChoice", File.ReadAllText(Path.Combine(folder, "config.json")));
    }

    [Fact]
    public void A_wrong_tensor_is_named_when_writing()
    {
        using var scope = NewDisposeScope();
        (string Name, Tensor Tensor)[] tensors = Random(Tiny, ElectraArchitecture.PreTraining);
        Assert.Contains("\"electra.embeddings.word_embeddings.weight\" is missing", WriteFault(tensors[1..]));
        Assert.Contains("[3, 3]; it must be [11, 4]", WriteFault([(tensors[0].Name, ones(3, 3)), .. tensors[1..]]));
        Assert.Contains("has no tensor pooler.weight", WriteFault([.. tensors, ("pooler.weight", ones(1))]));
        Assert.Empty(Directory.GetFileSystemEntries(folder));
    }

    [Fact]
    public void A_folder_that_contradicts_itself_is_refused_by_name()
    {
        using var scope = NewDisposeScope();
        HuggingFaceFolder.WriteDiscriminator(folder, Tiny, Random(Tiny, ElectraArchitecture.PreTraining));
        Assert.Contains(
            "the model is ElectraForPreTraining, not ElectraForMaskedLM",
            ReadFault(() => HuggingFaceFolder.Read(folder, ElectraArchitecture.MaskedLanguageModel))
        );

        Edit("hidden_size", 16);
        Assert.Contains("\"electra.embeddings_project.weight\" is [8, 4], config.json says [16, 4]", ReadFault());
        Edit("hidden_size", 8);
        Edit("num_hidden_layers", 1);
        Assert.Contains("describes no tensor electra.encoder.layer.1.attention.self.query.weight", ReadFault());
        Edit("num_hidden_layers", 3);
        Assert.Contains("no tensor \"electra.encoder.layer.2.attention.self.query.weight\"", ReadFault());
        Edit("num_hidden_layers", 2);
        Edit("intermediate_size", null);
        Assert.Contains("config.json: the key \"intermediate_size\" is missing", ReadFault());
        Edit("intermediate_size", 12);
        Edit("hidden_act", "gelu_new");
        Assert.Contains("hidden_act is gelu_new", ReadFault());
        Edit("model_type", "bert");
        Assert.Contains("model_type is bert", ReadFault());
        File.Delete(Path.Combine(folder, "config.json"));
        Assert.Contains("config.json: not a model's configuration", ReadFault());
    }

    [Fact]
    public void Published_configurations_are_read()
    {
        string[] configs = Directory.GetFiles(SharedData.Require("data/models/configs"), "*.json", SearchOption.AllDirectories);
        Assert.True(configs.Length >= 10);
        Assert.All(configs, path => Assert.InRange(HuggingFaceConfig.Read(path).VocabSize, 20_000, 40_000));
    }

    private static readonly HuggingFaceConfig Tiny = new()
    {
        VocabSize = 11,
        EmbeddingSize = 4,
        HiddenSize = 8,
        NumHiddenLayers = 2,
        NumAttentionHeads = 2,
        IntermediateSize = 12,
        MaxPositionEmbeddings = 6,
    };

    private static (string Name, Tensor Tensor)[] Random(HuggingFaceConfig config, string architecture) =>
        [.. ElectraArchitecture.Tensors(config, architecture).Select(item => (item.Name, randn(item.Shape)))];

    private static void AssertSameTensors(string expectedPath, string actualPath)
    {
        using SafeTensorsFile expected = SafeTensorsFile.Open(expectedPath);
        using SafeTensorsFile actual = SafeTensorsFile.Open(actualPath);
        Assert.Equal(expected.Names, actual.Names);
        Assert.All(expected.Names, name => Assert.Equivalent(expected.Entry(name), actual.Entry(name), strict: true));
        long bytes = expected.Names.Sum(name => expected.Entry(name).End - expected.Entry(name).Start);
        Assert.Equal(File.ReadAllBytes(expectedPath).AsSpan()[^(int)bytes..], File.ReadAllBytes(actualPath).AsSpan()[^(int)bytes..]);
        Assert.Equal("pt", actual.Metadata["format"]);
    }

    private static void AssertSameConfig(string expectedPath, string actualPath)
    {
        JsonObject expected = JsonNode.Parse(File.ReadAllText(expectedPath))!.AsObject();
        JsonObject actual = JsonNode.Parse(File.ReadAllText(actualPath))!.AsObject();
        string[] needed = ["architectures", "embedding_size", "layer_norm_eps", "summary_type", "pad_token_id", "id2label", "model_type"];
        Assert.All(needed, key => Assert.True(actual.ContainsKey(key), key));
        foreach ((string key, JsonNode? value) in actual.Where(item => item.Key != "problem_type"))
        {
            Assert.True(SameValue(expected[key], value), $"{key}: {expected[key]} and {value}");
        }
    }

    // Numbers compare by value: 0.0 and 0 are the same setting.
    private static bool SameValue(JsonNode? expected, JsonNode? actual) =>
        expected?.GetValueKind() == JsonValueKind.Number ? (double)expected! == (double)actual! : JsonNode.DeepEquals(expected, actual);

    private string WriteFault((string, Tensor)[] tensors) =>
        Assert.Throws<ArgumentException>(() => HuggingFaceFolder.WriteDiscriminator(folder, Tiny, tensors)).Message;

    private string ReadFault(Func<HuggingFaceModel>? read = null) =>
        Assert
            .Throws<PermanentException>(() => (read ?? (() => HuggingFaceFolder.Read(folder, ElectraArchitecture.PreTraining)))().Dispose())
            .Message;

    private void Edit(string key, JsonNode? value)
    {
        string path = Path.Combine(folder, "config.json");
        JsonObject config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        config.Remove(key);
        if (value is not null)
        {
            config[key] = value;
        }

        File.WriteAllText(path, config.ToJsonString());
    }
}
