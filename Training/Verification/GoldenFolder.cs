using System.Text.Json;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Verification;

/// <summary>A folder of reference numbers: two Hugging Face models that share embeddings, forward passes and training steps.</summary>
internal sealed class GoldenFolder(string folder)
{
    /// <summary>The folder.</summary>
    public string Path { get; } = Directory.Exists(folder)
        ? folder
        : throw new PermanentException($"{folder}: there is no such folder of reference numbers");

    /// <summary>A file in it.</summary>
    public string File(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>The reference model, its parameters read from both folders.</summary>
    public ElectraPretrainingModel LoadModel()
    {
        var model = new ElectraPretrainingModel(ReadConfig(), CPU);
        Load(model, "generator", model.GeneratorNames());
        Load(model, "discriminator", model.DiscriminatorNames());
        return model;
    }

    /// <summary>Sizes from both config.json; the generator may have another depth and width.</summary>
    public ElectraConfig ReadConfig()
    {
        using JsonDocument discriminator = Json(File("discriminator", "config.json"));
        using JsonDocument generator = Json(File("generator", "config.json"));
        JsonElement root = discriminator.RootElement;
        return new ElectraConfig
        {
            VocabularySize = Int(root, "vocab_size"),
            EmbeddingSize = Int(root, "embedding_size"),
            MaxPositions = Int(root, "max_position_embeddings"),
            TypeVocabularySize = Int(root, "type_vocab_size"),
            Discriminator = Encoder(root),
            Generator = Encoder(generator.RootElement),
            HiddenDropout = 0,
            AttentionDropout = 0,
            InitializerRange = root.GetProperty("initializer_range").GetDouble(),
            LayerNormEpsilon = root.GetProperty("layer_norm_eps").GetDouble(),
        };
    }

    /// <summary>Parses a JSON file of the folder.</summary>
    public static JsonDocument Json(string path)
    {
        try
        {
            return JsonDocument.Parse(System.IO.File.ReadAllBytes(path));
        }
        catch (Exception fault) when (fault is IOException or JsonException)
        {
            throw new PermanentException($"{path}: cannot be read as JSON: {fault.Message}", fault);
        }
    }

    private static EncoderConfig Encoder(JsonElement config) => new()
    {
        Layers = Int(config, "num_hidden_layers"),
        HiddenSize = Int(config, "hidden_size"),
        IntermediateSize = Int(config, "intermediate_size"),
        AttentionHeads = Int(config, "num_attention_heads"),
    };

    private static int Int(JsonElement config, string name) => config.TryGetProperty(name, out JsonElement value)
        ? value.GetInt32()
        : throw new PermanentException($"config.json: there is no \"{name}\"");

    private void Load(ElectraPretrainingModel model, string part, IEnumerable<(string Name, string Parameter)> names)
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using SafeTensorsFile file = SafeTensorsFile.Open(File(part, "model.safetensors"));
        foreach ((string name, string parameter) in names)
        {
            Tensor target = model.Parameters.Value(parameter), source = file.Read(name);
            if (!source.shape.SequenceEqual(target.shape))
            {
                throw new PermanentException(
                    $"{file.Path}: \"{name}\" is [{string.Join(", ", source.shape)}], the config asks for [{string.Join(", ", target.shape)}]");
            }

            target.copy_(source);
        }
    }
}
