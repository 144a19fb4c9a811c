using System.Text.Json;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Checkpoints;

/// <summary>
/// Reads the tokenizer of a Hugging Face folder: tokens from <c>vocab.txt</c>, else from <c>tokenizer.json</c>; settings from
/// <c>tokenizer_config.json</c>, what that leaves open from <c>tokenizer.json</c>, the rest as Hugging Face's class has it.
/// </summary>
internal static class TokenizerReader
{
    private const string FastName = "tokenizer.json";
    private const string SlowName = "tokenizer_config.json";

    /// <summary>The tokens and how text becomes words.</summary>
    /// <exception cref="PermanentException">A file is missing or malformed, or the tokenizer is no WordPiece one.</exception>
    public static (Vocabulary Vocabulary, TokenizerOptions Options) Read(string folder)
    {
        using JsonDocument? fast = Parse(Path.Combine(folder, FastName)),
            slow = Parse(Path.Combine(folder, SlowName));
        JsonElement model = Member(fast?.RootElement, "model"),
            normalizer = Member(fast?.RootElement, "normalizer");
        JsonElement settings = slow?.RootElement ?? default;
        TokenizerOptions defaults = new();
        TokenizerOptions options = new()
        {
            LowerCase = Flag(settings, "do_lower_case") ?? Flag(normalizer, "lowercase") ?? defaults.LowerCase,
            StripAccents = Flag(settings, "strip_accents") ?? Flag(normalizer, "strip_accents"),
            TokenizeChineseCharacters =
                Flag(settings, "tokenize_chinese_chars") ?? Flag(normalizer, "handle_chinese_chars") ?? defaults.TokenizeChineseCharacters,
            MaxWordLength = Number(model, "max_input_chars_per_word") ?? defaults.MaxWordLength,
        };
        string list = Path.Combine(folder, VocabularyStore.VocabularyName);
        return (File.Exists(list) ? Vocabulary.Load(list) : FromModel(folder, model), options.Validated());
    }

    private static Vocabulary FromModel(string folder, JsonElement model)
    {
        JsonElement tokens = Member(model, "vocab");
        if (tokens.ValueKind != JsonValueKind.Object)
        {
            throw new PermanentException(
                $"{folder}: there is neither {VocabularyStore.VocabularyName} nor a {FastName} with a WordPiece "
                    + "vocabulary; put the model's vocab.txt there"
            );
        }

        string[] ordered =
        [
            .. tokens
                .EnumerateObject()
                .Select(token => (token.Name, Id: token.Value.TryGetInt32(out int id) ? id : -1))
                .OrderBy(token => token.Id)
                .Select(
                    (token, place) =>
                        token.Id == place
                            ? token.Name
                            : throw new PermanentException(
                                $"{folder}/{FastName}: ids of the vocabulary are not 0 to {tokens.EnumerateObject().Count() - 1}"
                            )
                ),
        ];
        return new Vocabulary(ordered);
    }

    private static JsonDocument? Parse(string path)
    {
        try
        {
            return File.Exists(path) ? JsonDocument.Parse(File.ReadAllBytes(path)) : null;
        }
        catch (JsonException fault)
        {
            throw new PermanentException($"{path}: not JSON: {fault.Message}", fault);
        }
    }

    private static JsonElement Member(JsonElement? owner, string name) =>
        owner is { ValueKind: JsonValueKind.Object } element && element.TryGetProperty(name, out JsonElement value) ? value : default;

    private static bool? Flag(JsonElement owner, string name) =>
        Member(owner, name).ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => null,
        };

    private static int? Number(JsonElement owner, string name) =>
        Member(owner, name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out int value) ? value : null;
}
