using System.Text.Json;
using ElectraPipeline.Training.Tokenization;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Checkpoints;

/// <summary>
/// A model as Hugging Face's library loads it: <c>config.json</c>, the weights (<see cref="WeightFiles"/>) and the tokenizer's files.
/// </summary>
public static class HuggingFaceFolder
{
    /// <summary>Name of the configuration in the folder.</summary>
    public const string ConfigName = "config.json";

    private static readonly Dictionary<string, string> Metadata = new() { ["format"] = "pt" };

    /// <summary>Writes the discriminator as <see cref="ElectraArchitecture.PreTraining"/>.</summary>
    /// <param name="folder">Made if it is missing; each file is whole or not there.</param>
    /// <param name="config">Sizes; its architecture is set here.</param>
    /// <param name="tensors">Every tensor by its Hugging Face name, in any order.</param>
    /// <exception cref="ArgumentException">
    /// A tensor is missing, unknown or of another shape than <paramref name="config"/> says.
    /// </exception>
    public static void WriteDiscriminator(string folder, HuggingFaceConfig config, IReadOnlyList<(string Name, Tensor Tensor)> tensors) =>
        Write(folder, config, ElectraArchitecture.PreTraining, tensors);

    /// <summary>
    /// Writes the generator as <see cref="ElectraArchitecture.MaskedLanguageModel"/>; its output weight is the word embedding and left out.
    /// Parameters and errors as for <see cref="WriteDiscriminator"/>.
    /// </summary>
    public static void WriteGenerator(string folder, HuggingFaceConfig config, IReadOnlyList<(string Name, Tensor Tensor)> tensors) =>
        Write(folder, config, ElectraArchitecture.MaskedLanguageModel, tensors);

    /// <summary>Reads a folder of a named architecture.</summary>
    /// <exception cref="PermanentException">
    /// The folder is of another architecture, incomplete, or its sizes contradict each other.
    /// </exception>
    public static HuggingFaceModel Read(string folder, string architecture)
    {
        HuggingFaceConfig config = HuggingFaceConfig.Read(Path.Combine(folder, ConfigName));
        if (config.Architectures is { } named && !named.Contains(architecture))
        {
            throw new PermanentException($"{folder}: the model is {string.Join(", ", named)}, not {architecture}");
        }

        return ReadWeights(
            folder,
            config,
            ElectraArchitecture.Tensors(config, architecture),
            name => !ElectraArchitecture.IsRedundant(name)
        );
    }

    /// <summary>
    /// Reads the encoder alone of a folder of any architecture, whose head is not looked at; errors as for <see cref="Read"/>.
    /// </summary>
    public static HuggingFaceModel ReadEncoder(string folder)
    {
        HuggingFaceConfig config = HuggingFaceConfig.Read(Path.Combine(folder, ConfigName));
        return ReadWeights(folder, config, ElectraArchitecture.Encoder(config), ElectraArchitecture.IsOfEncoder);
    }

    /// <summary>Reads vocabulary and settings of a folder's tokenizer (<see cref="TokenizerReader"/>).</summary>
    /// <exception cref="PermanentException">The folder has no WordPiece tokenizer.</exception>
    public static (Vocabulary Vocabulary, TokenizerOptions Options) ReadTokenizer(string folder) => TokenizerReader.Read(folder);

    /// <summary>
    /// Writes <c>vocab.txt</c>, <c>tokenizer.json</c>, <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c>, with which Hugging
    /// Face's slow and fast tokenizers give the ids this program's give.
    /// </summary>
    /// <param name="folder">Made if it is missing.</param>
    /// <param name="vocabulary">The tokens.</param>
    /// <param name="options">How text becomes words.</param>
    /// <param name="maxLength">Longest sequence the model takes, in tokens, [CLS] and [SEP] included.</param>
    public static void WriteTokenizer(string folder, Vocabulary vocabulary, TokenizerOptions options, int maxLength)
    {
        Directory.CreateDirectory(folder);
        vocabulary.Save(Path.Combine(folder, "vocab.txt"));
        WriteJson(folder, "tokenizer.json", HuggingFaceTokenizer.Fast(vocabulary, options));
        WriteJson(folder, "tokenizer_config.json", HuggingFaceTokenizer.Config(options, maxLength));
        WriteJson(folder, "special_tokens_map.json", HuggingFaceTokenizer.SpecialTokensMap());
    }

    /// <summary>Writes a model of any architecture; parameters and errors as for <see cref="WriteDiscriminator"/>.</summary>
    internal static void Write(
        string folder,
        HuggingFaceConfig config,
        string architecture,
        IReadOnlyList<(string Name, Tensor Tensor)> tensors
    )
    {
        HuggingFaceConfig complete = config with { Architectures = [architecture] };
        Dictionary<string, Tensor> given = tensors
            .Where(item => !ElectraArchitecture.IsRedundant(item.Name))
            .ToDictionary(item => item.Name, item => item.Tensor);
        List<(string Name, Tensor Tensor)> ordered = [];
        foreach ((string name, long[] shape) in ElectraArchitecture.Tensors(complete, architecture))
        {
            if (!given.Remove(name, out Tensor? tensor) || !tensor.shape.AsSpan().SequenceEqual(shape))
            {
                string found = tensor is null ? "missing" : $"of shape [{string.Join(", ", tensor.shape)}]";
                throw new ArgumentException(
                    $"{architecture}: tensor \"{name}\" is {found}; it must be " + $"[{string.Join(", ", shape)}]",
                    nameof(tensors)
                );
            }

            ordered.Add((name, tensor));
        }

        if (given.Count > 0)
        {
            throw new ArgumentException($"{architecture} has no tensor {string.Join(", ", given.Keys)}", nameof(tensors));
        }

        Directory.CreateDirectory(folder);
        SafeTensors.Write(Path.Combine(folder, WeightFiles.SafeTensorsName), ordered, Metadata);
        WriteConfig(Path.Combine(folder, ConfigName), complete);
    }

    /// <summary>Writes a configuration.</summary>
    internal static void WriteConfig(string path, HuggingFaceConfig config) =>
        DurableFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(config, HuggingFaceConfig.Json));

    private static HuggingFaceModel ReadWeights(
        string folder,
        HuggingFaceConfig config,
        IReadOnlyList<(string Name, long[] Shape)> expected,
        Func<string, bool> mustBeKnown
    )
    {
        using ITensorSource source = WeightFiles.Open(folder);
        foreach ((string name, long[] shape) in expected)
        {
            if (source.Describe(name).Shape is var found && !found.SequenceEqual(shape))
            {
                throw new PermanentException(
                    $"{source.Path}: tensor \"{name}\" is [{string.Join(", ", found)}], {ConfigName} says [{string.Join(", ", shape)}]"
                );
            }
        }

        string[] unknown = [.. source.Names.Except(expected.Select(item => item.Name)).Where(mustBeKnown)];
        if (unknown.Length > 0)
        {
            throw new PermanentException($"{source.Path}: {ConfigName} describes no tensor {string.Join(", ", unknown)}");
        }

        return new HuggingFaceModel(config, expected.ToDictionary(item => item.Name, item => source.Read(item.Name)), source.Files);
    }

    private static void WriteJson<T>(string folder, string name, T value) =>
        DurableFile.Write(Path.Combine(folder, name), JsonSerializer.SerializeToUtf8Bytes(value, HuggingFaceConfig.Json));
}

/// <summary>A model read from a Hugging Face folder: sizes and every tensor by name, on the CPU.</summary>
public sealed class HuggingFaceModel : IDisposable
{
    internal HuggingFaceModel(HuggingFaceConfig config, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyList<string> files)
    {
        Config = config;
        Tensors = tensors;
        Files = files;
    }

    /// <summary>Sizes.</summary>
    public HuggingFaceConfig Config { get; }

    /// <summary>The tensors by their Hugging Face names, in Hugging Face's order.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors { get; }

    /// <summary>The files that the tensors came from.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        foreach (Tensor tensor in Tensors.Values)
        {
            tensor.Dispose();
        }
    }
}
