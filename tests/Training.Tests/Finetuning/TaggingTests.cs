using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Finetuning;
using ElectraPipeline.Training.Finetuning.Metrics;
using ElectraPipeline.Training.Finetuning.Tasks;
using Xunit;

namespace ElectraPipeline.Training.Tests.Finetuning;

public sealed class TaggingTests
{
    public static TheoryData<string> Golden =>
        [
            .. JsonDocument
                .Parse(File.ReadAllBytes(SharedData.Require("data/chunking/golden/expected_conlleval.json")))
                .RootElement.EnumerateObject()
                .Select(item => item.Name)
                .Where(name => File.Exists(SharedData.Require("data/chunking/golden") + $"/{name}.txt.gz")),
        ];

    [Theory]
    [MemberData(nameof(Golden))]
    public void Chunks_are_counted_as_conlleval_does(string name)
    {
        ChunkCounts counts = new();
        foreach ((string[] truth, string[] predicted) in Sentences(SharedData.Require($"data/chunking/golden/{name}.txt.gz")))
        {
            counts.AddSentence(truth, predicted);
        }

        using JsonDocument expected = JsonDocument.Parse(
            File.ReadAllBytes(SharedData.Require("data/chunking/golden/expected_conlleval.json"))
        );
        (long right, long found, long chunks) = counts.Chunks;
        string summary =
            string.Create(CultureInfo.InvariantCulture, $"phrases; found: {found} phrases; correct: {right}.\n")
            + string.Create(
                CultureInfo.InvariantCulture,
                $"accuracy: {100 * counts.Accuracy, 6:F2}%; precision: {100 * counts.Precision, 6:F2}%; "
            )
            + string.Create(CultureInfo.InvariantCulture, $"recall: {100 * counts.Recall, 6:F2}%; FB1: {100 * counts.F1, 6:F2}\n");
        Assert.Contains($"with {chunks} {summary}", expected.RootElement.GetProperty(name).GetString());
    }

    [Fact]
    public void Real_files_are_read_whole()
    {
        IReadOnlyList<TaggedSentence> chunking = ConllFile.Read(
            SharedData.Require("data/chunking/conll2000/test.txt.gz"),
            new ConllColumns(0, -1)
        );
        Assert.Equal((2_012, 47_377), (chunking.Count, chunking.Sum(sentence => sentence.Words.Count)));
        Assert.Equal(("Rockwell", "B-NP"), (chunking[0].Words[0], chunking[0].Tags[0]));

        IReadOnlyList<TaggedSentence> universal = ConllFile.Read(
            SharedData.Require("data/chunking/ud/en_partut-ud-dev.conllu.gz"),
            new ConllColumns(1, 3)
        );
        Assert.All(universal.SelectMany(sentence => sentence.Tags), tag => Assert.Matches("^[A-Z]+$", tag));
        Assert.Equal(156, universal.Count);

        IReadOnlyList<TaggedSentence> names = ConllFile.Read(SharedData.Require("data/chunking/wikiann/en.dev.gz"), new ConllColumns(0, 1));
        Assert.Equal(10_000, names.Count);
    }

    [Fact]
    public void Faults_of_a_file_are_named_with_their_line()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("train.txt", "-DOCSTART- O\n\nword O\nalone\n");
        Assert.Contains($"{path}, line 4: 1 columns", Fault(() => ConllFile.Read(path, new ConllColumns(0, 1))));
        folder.Write("train.txt", "-DOCSTART- O\n\n");
        Assert.Contains("no tagged sentence", Fault(() => ConllFile.Read(path, new ConllColumns(0, 1))));
        FinetuneOptions options = new()
        {
            Name = "tags",
            Train = "train.txt",
            Kind = "tagging",
            TextColumn = "word",
        };
        Assert.Contains("\"word\" is no column of a file that names none", Fault(() => ConllColumns.Of(options)));
        Assert.Equal(new ConllColumns(1, 3), ConllColumns.Of(options with { TextColumn = "#1", LabelColumn = "#3" }));
        Assert.Equal(new ConllColumns(0, -1), ConllColumns.Of(options with { TextColumn = "text" }));
    }

    private static string Fault(Func<object> act) => Assert.Throws<PermanentException>(act).Message;

    private static IEnumerable<(string[] Truth, string[] Predicted)> Sentences(string path)
    {
        using StreamReader reader = new(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        string[] blocks = reader.ReadToEnd().Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        foreach (string block in blocks)
        {
            string[][] lines =
            [
                .. block
                    .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                    .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)),
            ];
            yield return ([.. lines.Select(line => line[^2])], [.. lines.Select(line => line[^1])]);
        }
    }
}
