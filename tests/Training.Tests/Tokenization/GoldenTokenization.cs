using System.IO.Compression;
using System.Text.Json;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Tests.Tokenization;

/// <summary>Texts with the ids that Hugging Face's tokenizer gives them, and the vocabularies these ids belong to.</summary>
internal static class GoldenTokenization
{
    private static readonly Dictionary<string, (string Path, bool LowerCase)> Vocabularies = new()
    {
        ["uncased"] = ("bert-base-uncased/vocab.txt", true),
        ["cased"] = ("bert-base-cased/vocab.txt", false),
        ["chinese"] = ("bert-base-chinese/vocab.txt", false),
        ["multi"] = ("bert-base-multilingual-cased/vocab.txt.gz", false),
    };

    public static Vocabulary Vocabulary(string name)
    {
        string path = SharedData.Require("data/vocab/" + Vocabularies[name].Path);
        if (!path.EndsWith(".gz", StringComparison.Ordinal))
        {
            return Training.Tokenization.Vocabulary.Load(path);
        }

        string plain = Path.GetTempFileName();
        using (var source = new GZipStream(File.OpenRead(path), CompressionMode.Decompress))
        using (FileStream target = File.Create(plain))
        {
            source.CopyTo(target);
        }

        Vocabulary vocabulary = Training.Tokenization.Vocabulary.Load(plain);
        File.Delete(plain);
        return vocabulary;
    }

    public static TokenizerOptions Options(string name) => new() { LowerCase = Vocabularies[name].LowerCase, SpecialTokensInText = true };

    public static IEnumerable<(string Kind, string Text, int[] Ids)> Cases(string name)
    {
        foreach (string line in File.ReadLines(SharedData.Require("golden/tokenization/cases.jsonl")))
        {
            using JsonDocument entry = JsonDocument.Parse(line);
            JsonElement root = entry.RootElement;
            yield return (
                root.GetProperty("kind").GetString()!,
                root.GetProperty("text").GetString()!,
                [.. root.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())]
            );
        }
    }
}
