using System.Text.Json;

namespace ElectraPipeline.Training.Shards.Exchange;

/// <summary>
/// "shards.json" beside exported examples: what their format has no place for, so that importing them gives the same shards.
/// </summary>
/// <param name="Version">Layout of the folder.</param>
/// <param name="Format">"megatron" or "parquet".</param>
/// <param name="TokenBytes">Bytes of an id in the shards.</param>
/// <param name="SequenceLength">Tokens an example holds at most.</param>
/// <param name="PadId">Id of the padding.</param>
/// <param name="OptionsDigest">The shards' digest of the options that made them, hex.</param>
/// <param name="Seed">Seed of the draws.</param>
/// <param name="Examples">How documents became examples.</param>
/// <param name="Counts">What went in and came out.</param>
internal sealed record ExchangeDescription(
    int Version,
    string Format,
    int TokenBytes,
    int SequenceLength,
    int PadId,
    string OptionsDigest,
    ulong Seed,
    ExampleOptions Examples,
    TokenizeResult Counts
)
{
    public const string FileName = "shards.json";
    public const int CurrentVersion = 1;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    public void Write(string folder) => DurableFile.Write(Path.Combine(folder, FileName), JsonSerializer.SerializeToUtf8Bytes(this, Json));

    /// <exception cref="PermanentException">It is damaged or of another version.</exception>
    public static ExchangeDescription Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        try
        {
            var description =
                JsonSerializer.Deserialize<ExchangeDescription>(File.ReadAllBytes(path), Json) ?? throw new JsonException("it holds null");
            return description.Version == CurrentVersion
                ? description
                : throw new PermanentException(
                    $"{path} is of version {description.Version}; this program reads version {CurrentVersion}; export again"
                );
        }
        catch (JsonException exception)
        {
            throw new PermanentException($"{path} is damaged: {exception.Message}; export again", exception);
        }
    }
}
