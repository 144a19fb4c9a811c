using ElectraPipeline.Training.Finetuning;
using ElectraPipeline.Training.Finetuning.Tasks;
using ElectraPipeline.Training.Tokenization;
using Xunit;

namespace ElectraPipeline.Training.Tests.Finetuning;

public sealed class TaskDataTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("electra-data").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_split_puts_no_group_on_both_sides_and_meets_the_share()
    {
        WriteRows(Enumerable.Range(0, 1_000).Select(i => ($"text {i}", $"{i % 3}", $"group {(int)Math.Sqrt(i)}")));
        TaskData data = TaskData.Load(Options with { GroupColumn = "group", EvaluationShare = 0.25 }, new(folder), seed: 1);
        Assert.Equal(1_000, data.Train.Count + data.Evaluation.Count);
        Assert.Empty(data.Train.Select(example => example.Group).Intersect(data.Evaluation.Select(example => example.Group)));
        Assert.InRange(data.Evaluation.Count, 200, 250);
        Assert.True(data.Evaluation.DistinctBy(example => example.Group).Count() > 3);
    }

    [Fact]
    public void Without_groups_the_same_text_stays_on_one_side()
    {
        WriteRows(Enumerable.Range(0, 1_000).Select(i => ($"text {i / 2}", $"{i % 2}", "")));
        TaskData data = TaskData.Load(Options, new(folder), seed: 1);
        Assert.Equal(200, data.Evaluation.Count);
        Assert.Empty(data.Train.Select(example => example.Text).Intersect(data.Evaluation.Select(example => example.Text)));
    }

    [Fact]
    public void Groups_larger_than_the_share_still_leave_something_to_measure()
    {
        WriteRows(Enumerable.Range(0, 100).Select(i => ($"text {i}", $"{i % 2}", i < 60 ? "large" : "small")));
        TaskData data = TaskData.Load(Options with { GroupColumn = "group", EvaluationShare = 0.01 }, new(folder), seed: 1);
        Assert.Equal(40, data.Evaluation.Count);

        WriteRows([("a", "0", "one"), ("b", "1", "one")]);
        Assert.Contains("all examples are of one group, \"one\"", Fault(Options with { GroupColumn = "group" }));
    }

    [Fact]
    public void Sizes_are_bounded_by_seed_and_by_hash()
    {
        WriteRows(Enumerable.Range(0, 1_000).Select(i => ($"text {i}", $"{i % 2}", "")));
        FinetuneOptions bounded = Options with { MaxTrainExamples = 50, MaxEvaluationExamples = 20 };
        TaskData first = TaskData.Load(bounded, new(folder), seed: 1),
            again = TaskData.Load(bounded, new(folder), seed: 1),
            other = TaskData.Load(bounded, new(folder), seed: 2);
        Assert.Equal((50, 20), (first.Train.Count, first.Evaluation.Count));
        Assert.Equal(first.Train, again.Train);
        Assert.Equal(first.Digest, again.Digest);
        Assert.NotEqual(first.Train, other.Train);
        Assert.NotEqual(first.Digest, other.Digest);
        Assert.Equal(first.Evaluation, other.Evaluation);
    }

    [Fact]
    public void An_evaluation_file_is_used_as_it_is()
    {
        WriteRows([("a", "10", ""), ("b", "9", "")]);
        File.WriteAllText(Path.Combine(folder, "dev.jsonl"), "{\"text\":\"c\",\"label\":9}\n{\"text\":\"a\",\"label\":-1}\n");
        TaskData data = TaskData.Load(Options with { Evaluation = "dev.jsonl" }, new(folder), seed: 1);
        Assert.Equal(["-1", "9", "10"], data.Labels);
        Assert.Equal((2, 2), (data.Train.Count, data.Evaluation.Count));
    }

    [Fact]
    public void One_class_or_an_unknown_built_in_is_refused()
    {
        WriteRows([("a", "x", ""), ("b", "x", "")]);
        Assert.Contains("every label is \"x\"", Fault(Options));
        Assert.Contains("no built-in data \"dotnet-docs:members\"", Fault(Options with { Train = "dotnet-docs:members" }));
    }

    [Fact]
    public void Documentation_sentences_are_split_by_assembly()
    {
        TaskData data = TaskData.Load(Options with { Train = "dotnet-docs:member-kind" }, new(folder), seed: 1);
        Assert.Equal(["event", "field", "method", "property", "type"], data.Labels);
        Assert.True(data.Train.Count > 10_000);
        Assert.Empty(data.Train.Select(example => example.Group).Intersect(data.Evaluation.Select(example => example.Group)));
        Assert.Empty(data.Train.Select(example => example.Text).Intersect(data.Evaluation.Select(example => example.Text)));
    }

    [Fact]
    public void Truncation_takes_tokens_off_the_longer_text_one_by_one()
    {
        for (int a = 0; a <= 12; a++)
        {
            for (int b = 0; b <= 12; b++)
            {
                for (int room = 2; room <= 14; room++)
                {
                    (int first, int second) = (a, b);
                    while (first + second > room)
                    {
                        _ = first > second ? first-- : second--;
                    }

                    Assert.Equal((first, second), TextEncoder.Fit(a, b, room));
                }
            }
        }
    }

    [Fact]
    public void Texts_and_pairs_get_their_special_tokens()
    {
        Vocabulary vocabulary = new(["a", "b", "[SEP]", "[CLS]", "[UNK]", "[PAD]", "[MASK]", "c"]);
        TextEncoder encoder = new(new WordPieceTokenizer(vocabulary, new TokenizerOptions()), maxLength: 6);
        EncodedText single = encoder.Encode("a b", null);
        Assert.Equal([3, 0, 1, 2], single.Ids);
        Assert.Equal((4, false), (single.SecondSegment, single.Truncated));
        EncodedText pair = encoder.Encode("a a a b", "c");
        Assert.Equal([3, 0, 0, 2, 7, 2], pair.Ids);
        Assert.Equal((4, true), (pair.SecondSegment, pair.Truncated));
        Assert.Equal([3, 0, 0, 0, 1, 2], encoder.Encode("a a a b c", null).Ids);
        Assert.Equal([3, 2, 7, 2], encoder.Encode("", "c").Ids);
    }

    [Fact]
    public void Words_know_where_they_start()
    {
        Vocabulary vocabulary = new(["a", "##b", "[SEP]", "[CLS]", "[UNK]", "[PAD]", "[MASK]", "c"]);
        TextEncoder encoder = new(new WordPieceTokenizer(vocabulary, new TokenizerOptions()), maxLength: 6);
        (EncodedText text, int[] places) = encoder.Encode(["ab", "\u200b", "c"]);
        Assert.Equal([3, 0, 1, 4, 7, 2], text.Ids); // a word that normalization removes is unknown, not gone
        Assert.Equal([1, 3, 4], places);
        Assert.False(text.Truncated);
        (text, places) = encoder.Encode(["c", "abb", "ab", "c"]);
        Assert.Equal([3, 7, 0, 1, 1, 2], text.Ids);
        Assert.Equal([1, 2], places);
        Assert.True(text.Truncated);
    }

    [Fact]
    public void Pairs_in_both_orders_double_the_training_examples_alone()
    {
        File.WriteAllLines(Path.Combine(folder, "train.tsv"), ["text\tother\tlabel", "a\tb\t0", "c\td\t1", "e\tf\t1"]);
        TaskData data = TaskData.Load(
            Options with
            {
                PairColumn = "other",
                BothOrders = true,
                EvaluationShare = 0.34,
            },
            new(folder),
            seed: 1
        );
        Assert.Equal((4, 1), (data.Train.Count, data.Evaluation.Count));
        Assert.All(
            data.Train.Take(2),
            example => Assert.Contains(example with { Text = example.Pair!, Pair = example.Text }, data.Train.Skip(2))
        );
        Assert.Contains(
            "BothOrders is True",
            Assert.Throws<PermanentException>(() => (Options with { BothOrders = true }).Validate()).Message
        );
    }

    private static FinetuneOptions Options => new() { Name = "test", Train = "train.tsv" };

    private string Fault(FinetuneOptions options) =>
        Assert.Throws<PermanentException>(() => TaskData.Load(options, new(folder), seed: 1)).Message;

    private void WriteRows(IEnumerable<(string Text, string Label, string Group)> rows) =>
        File.WriteAllLines(
            Path.Combine(folder, "train.tsv"),
            ["text\tlabel\tgroup", .. rows.Select(row => $"{row.Text}\t{row.Label}\t{row.Group}")]
        );
}
