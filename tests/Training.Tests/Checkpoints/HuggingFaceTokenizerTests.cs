using System.IO.Compression;
using System.Text.Json.Nodes;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Tokenization;
using Xunit;

namespace ElectraPipeline.Training.Tests.Checkpoints;

public sealed class HuggingFaceTokenizerTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("electra-tokenizer").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("bert-base-uncased", true)]
    [InlineData("bert-base-chinese", false)]
    [InlineData("bert-base-multilingual-cased", false)]
    public void The_fast_tokenizer_is_the_published_one(string name, bool lowerCase)
    {
        using GZipStream gzip = new(File.OpenRead(SharedData.Require($"data/vocab/{name}/tokenizer.json.gz")), CompressionMode.Decompress);
        JsonObject published = JsonNode.Parse(gzip)!.AsObject();
        JsonObject tokens = published["model"]!["vocab"]!.AsObject();
        Vocabulary vocabulary = new([.. tokens.OrderBy(item => (int)item.Value!).Select(item => item.Key)]);
        HuggingFaceFolder.WriteTokenizer(folder, vocabulary, new TokenizerOptions { LowerCase = lowerCase }, maxLength: 512);

        JsonObject written = Json("tokenizer.json");
        Assert.Equal("WordPiece", (string?)written["model"]!["type"]); // the published files are older than this key
        published["model"]!["type"] = "WordPiece";
        foreach ((string key, JsonNode? value) in published)
        {
            Assert.True(JsonNode.DeepEquals(value, written[key]), key);
        }

        Assert.Equal(published.Count, written.Count);
        Assert.Equal(vocabulary.Digest, Vocabulary.Load(Path.Combine(folder, "vocab.txt")).Digest);
    }

    [Fact]
    public void Settings_and_special_ids_follow_the_vocabulary()
    {
        Vocabulary vocabulary = new(["a", "[MASK]", "[SEP]", "é\"\\", "[CLS]", "[UNK]", "[PAD]", "##a"]);
        TokenizerOptions options = new()
        {
            LowerCase = false,
            StripAccents = true,
            TokenizeChineseCharacters = false,
            MaxWordLength = 200,
        };
        HuggingFaceFolder.WriteTokenizer(folder, vocabulary, options, maxLength: 128);

        JsonObject fast = Json("tokenizer.json");
        Assert.Equal(
            ["[MASK]", "[SEP]", "[CLS]", "[UNK]", "[PAD]"],
            fast["added_tokens"]!.AsArray().Select(token => (string?)token!["content"])
        );
        Assert.All(
            fast["added_tokens"]!.AsArray(),
            token => Assert.Equal((string?)token!["content"], vocabulary.TokenOf((int)token["id"]!))
        );
        Assert.Equal(4, (int)fast["post_processor"]!["special_tokens"]!["[CLS]"]!["ids"]![0]!);
        Assert.Equal(3, (int)fast["model"]!["vocab"]!["é\"\\"]!);
        Assert.Equal(200, (int)fast["model"]!["max_input_chars_per_word"]!);
        Assert.Equal(
            (false, true, false),
            (
                (bool)fast["normalizer"]!["lowercase"]!,
                (bool)fast["normalizer"]!["strip_accents"]!,
                (bool)fast["normalizer"]!["handle_chinese_chars"]!
            )
        );

        JsonObject config = Json("tokenizer_config.json");
        Assert.Equal(
            ("ElectraTokenizer", false, true, false, 128),
            (
                (string)config["tokenizer_class"]!,
                (bool)config["do_lower_case"]!,
                (bool)config["strip_accents"]!,
                (bool)config["tokenize_chinese_chars"]!,
                (int)config["model_max_length"]!
            )
        );
        foreach ((string role, JsonNode? token) in Json("special_tokens_map.json"))
        {
            Assert.True(vocabulary.TryGetId((string)token!, out _), role);
            Assert.Equal((string?)token, (string?)config[role]);
        }
    }

    private JsonObject Json(string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, name)))!.AsObject();
}
