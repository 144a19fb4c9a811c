using System.Text.Json.Nodes;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Checkpoints;

/// <summary>The tokenizer's files in Hugging Face's words. Ids of special tokens are read from the vocabulary by name.</summary>
internal static class HuggingFaceTokenizer
{
    /// <summary><c>tokenizer.json</c>: the whole fast tokenizer, from normalization to the template of pairs.</summary>
    public static JsonObject Fast(Vocabulary vocabulary, TokenizerOptions options) =>
        new()
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = AddedTokens(vocabulary),
            ["normalizer"] = new JsonObject
            {
                ["type"] = "BertNormalizer",
                ["clean_text"] = true,
                ["handle_chinese_chars"] = options.TokenizeChineseCharacters,
                ["strip_accents"] = options.StripAccents,
                ["lowercase"] = options.LowerCase,
            },
            ["pre_tokenizer"] = new JsonObject { ["type"] = "BertPreTokenizer" },
            ["post_processor"] = Template(vocabulary),
            ["decoder"] = new JsonObject
            {
                ["type"] = "WordPiece",
                ["prefix"] = "##",
                ["cleanup"] = true,
            },
            ["model"] = Model(vocabulary, options),
        };

    /// <summary><c>tokenizer_config.json</c>, from which the slow tokenizer is made.</summary>
    public static JsonObject Config(TokenizerOptions options, int maxLength)
    {
        JsonObject config = SpecialTokensMap();
        config["do_lower_case"] = options.LowerCase;
        config["strip_accents"] = options.StripAccents;
        config["tokenize_chinese_chars"] = options.TokenizeChineseCharacters;
        config["model_max_length"] = maxLength;
        config["tokenizer_class"] = "ElectraTokenizer";
        return config;
    }

    /// <summary><c>special_tokens_map.json</c>.</summary>
    public static JsonObject SpecialTokensMap() =>
        new()
        {
            ["cls_token"] = SpecialTokens.Classifier,
            ["mask_token"] = SpecialTokens.Mask,
            ["pad_token"] = SpecialTokens.Pad,
            ["sep_token"] = SpecialTokens.Separator,
            ["unk_token"] = SpecialTokens.Unknown,
        };

    private static JsonArray AddedTokens(Vocabulary vocabulary) =>
        [
            .. SpecialTokens
                .All.Select(token => (Token: token, Id: IdOf(vocabulary, token)))
                .OrderBy(item => item.Id)
                .Select(item => new JsonObject
                {
                    ["id"] = item.Id,
                    ["content"] = item.Token,
                    ["single_word"] = false,
                    ["lstrip"] = false,
                    ["rstrip"] = false,
                    ["normalized"] = false,
                    ["special"] = true,
                }),
        ];

    private static JsonObject Template(Vocabulary vocabulary) =>
        new()
        {
            ["type"] = "TemplateProcessing",
            ["single"] = new JsonArray(Special(SpecialTokens.Classifier, 0), Sequence("A", 0), Special(SpecialTokens.Separator, 0)),
            ["pair"] = new JsonArray(
                Special(SpecialTokens.Classifier, 0),
                Sequence("A", 0),
                Special(SpecialTokens.Separator, 0),
                Sequence("B", 1),
                Special(SpecialTokens.Separator, 1)
            ),
            ["special_tokens"] = new JsonObject
            {
                [SpecialTokens.Classifier] = TemplateToken(vocabulary, SpecialTokens.Classifier),
                [SpecialTokens.Separator] = TemplateToken(vocabulary, SpecialTokens.Separator),
            },
        };

    private static JsonObject Model(Vocabulary vocabulary, TokenizerOptions options)
    {
        JsonObject tokens = [];
        for (int id = 0; id < vocabulary.Count; id++)
        {
            tokens[vocabulary.TokenOf(id)] = id;
        }

        return new JsonObject
        {
            ["type"] = "WordPiece",
            ["unk_token"] = SpecialTokens.Unknown,
            ["continuing_subword_prefix"] = "##",
            ["max_input_chars_per_word"] = options.MaxWordLength,
            ["vocab"] = tokens,
        };
    }

    private static JsonObject Special(string token, int segment) => Piece("SpecialToken", token, segment);

    private static JsonObject Sequence(string name, int segment) => Piece("Sequence", name, segment);

    private static JsonObject Piece(string kind, string id, int segment) =>
        new()
        {
            [kind] = new JsonObject { ["id"] = id, ["type_id"] = segment },
        };

    private static JsonObject TemplateToken(Vocabulary vocabulary, string token) =>
        new()
        {
            ["id"] = token,
            ["ids"] = new JsonArray(IdOf(vocabulary, token)),
            ["tokens"] = new JsonArray(token),
        };

    private static int IdOf(Vocabulary vocabulary, string token) =>
        vocabulary.TryGetId(token, out int id)
            ? id
            : throw new PermanentException($"the vocabulary has no token {token}, which a " + "model needs");
}
