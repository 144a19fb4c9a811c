using System.Text.Json;

namespace ElectraPipeline.Training.Shards;

/// <summary>A shard's file.</summary>
/// <param name="Name">Its name in the folder.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Its SHA-256, hex.</param>
public sealed record ShardFile(string Name, long Bytes, string Sha256);

/// <summary>"manifest.json" of a shard folder.</summary>
/// <param name="Version">Layout of the folder; raised when it changes.</param>
/// <param name="Part">Part of the documents, counted from 0.</param>
/// <param name="Seed">Seed of the draws.</param>
/// <param name="Options">How documents became examples.</param>
/// <param name="VocabularyDigest">SHA-256 of vocab.txt, hex.</param>
/// <param name="Counts">What went in and came out.</param>
/// <param name="Shards">The files.</param>
public sealed record ShardsManifest(
    int Version,
    int Part,
    ulong Seed,
    ExampleOptions Options,
    string VocabularyDigest,
    TokenizeResult Counts,
    IReadOnlyList<ShardFile> Shards
)
{
    /// <summary>Name of the file in the folder.</summary>
    public const string FileName = "manifest.json";

    /// <summary>The layout that this program writes.</summary>
    internal const int CurrentVersion = 2;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Writes it into a folder.</summary>
    internal void Write(string folder) =>
        DurableFile.Write(Path.Combine(folder, FileName), JsonSerializer.SerializeToUtf8Bytes(this, Json));

    /// <summary>Reads the manifest of a shard folder.</summary>
    /// <exception cref="PermanentException">It is missing or damaged.</exception>
    internal static ShardsManifest Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw new PermanentException($"{folder} is no shard folder: it has no {FileName}; tokenize again");
        }

        try
        {
            return JsonSerializer.Deserialize<ShardsManifest>(File.ReadAllBytes(path), Json) ?? throw new JsonException("it holds null");
        }
        catch (JsonException exception)
        {
            throw new PermanentException($"{path} is damaged: {exception.Message}; tokenize again", exception);
        }
    }
}
