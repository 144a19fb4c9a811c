using System.Text.Json;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>The "vocabulary" artifact: a folder with vocab.txt and tokenizer-options.json.</summary>
public static class VocabularyStore
{
    /// <summary>Name of the token list in the folder.</summary>
    public const string VocabularyName = "vocab.txt";

    /// <summary>Name of the settings file in the folder.</summary>
    public const string OptionsName = "tokenizer-options.json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NewLine = "\n",
    };

    /// <summary>Writes both files into <paramref name="folder"/>, which is made if need be.</summary>
    public static void Write(string folder, Vocabulary vocabulary, TokenizerOptions options)
    {
        Directory.CreateDirectory(folder);
        vocabulary.Save(Path.Combine(folder, VocabularyName));
        DurableFile.Write(Path.Combine(folder, OptionsName), JsonSerializer.SerializeToUtf8Bytes(options, Json));
    }

    /// <summary>Reads a folder that <see cref="Write"/> made.</summary>
    /// <exception cref="PermanentException">A file is missing or malformed.</exception>
    public static (Vocabulary Vocabulary, TokenizerOptions Options) Read(string folder) =>
        (Vocabulary.Load(Path.Combine(folder, VocabularyName)), ReadOptions(folder));

    /// <summary>Reads the settings alone.</summary>
    /// <exception cref="PermanentException">The file is missing or malformed.</exception>
    internal static TokenizerOptions ReadOptions(string folder)
    {
        string path = Path.Combine(folder, OptionsName);
        try
        {
            TokenizerOptions? options = JsonSerializer.Deserialize<TokenizerOptions>(File.ReadAllBytes(path), Json);
            return options?.Validated() ?? throw new PermanentException($"{path} holds null; it must be an object of tokenizer options");
        }
        catch (JsonException e)
        {
            throw new PermanentException($"{path}: {e.Message}", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PermanentException($"tokenizer options not found: {path}; without them the ids of vocab.txt mean nothing", e);
        }
    }
}
