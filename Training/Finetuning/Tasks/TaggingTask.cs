using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Finetuning.Metrics;
using ElectraPipeline.Training.Tokenization;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>
/// A tag a word: chunking, named entities, parts of speech. A word's first token carries its tag; words beyond the sequence length are
/// answered by no chunk ("O"), so that cutting costs what it costs.
/// </summary>
internal sealed class TaggingTask : FinetuneTask
{
    private const int Ignored = -100;
    private const string Outside = "O";
    private readonly IReadOnlyList<TagExample> train;
    private readonly IReadOnlyList<TagExample> evaluation;

    /// <summary>Encodes the sentences of <paramref name="data"/>.</summary>
    public TaggingTask(FinetuneOptions options, TaggingData data, TextEncoder encoder)
    {
        Dictionary<string, int> numbers = data.Tags.Index().ToDictionary(item => item.Item, item => item.Index);
        (train, evaluation) = ([.. data.Train.Select(Encode)], [.. data.Evaluation.Select(Encode)]);
        Labels = data.Tags;
        Digest = data.Digest;
        Head = new TokenHead(Labels.Count);
        Metric = options.Metric ?? "entity_f1";
        Baseline = FrequentTags(data);

        TagExample Encode(TaggedSentence sentence)
        {
            (EncodedText text, int[] places) = encoder.Encode(sentence.Words);
            return new TagExample(text.Ids, text.SecondSegment, text.Truncated, [.. sentence.Tags.Select(tag => numbers[tag])], places);
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<EncodedExample> Train => train;

    /// <inheritdoc/>
    public override IReadOnlyList<EncodedExample> Evaluation => evaluation;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Labels { get; }

    /// <inheritdoc/>
    public override string Digest { get; }

    /// <inheritdoc/>
    public override TaskHead Head { get; }

    /// <inheritdoc/>
    public override string Metric { get; }

    /// <inheritdoc/>
    public override FinetuneBaseline Baseline { get; }

    /// <inheritdoc/>
    public override Tensor Loss(Tensor logits, EncodedExample[] batch)
    {
        int length = (int)logits.shape[1];
        long[] targets = new long[batch.Length * length];
        Array.Fill(targets, Ignored);
        for (int i = 0; i < batch.Length; i++)
        {
            TagExample example = (TagExample)batch[i];
            for (int word = 0; word < example.Places.Length; word++)
            {
                targets[(i * length) + example.Places[word]] = example.Tags[word];
            }
        }

        Tensor expected = tensor(targets, device: logits.device);
        return nn.functional.cross_entropy(logits.view(-1, Labels.Count), expected, ignore_index: Ignored, reduction: nn.Reduction.Sum);
    }

    /// <inheritdoc/>
    public override ITaskScore NewScore() => new Score(Labels);

    /// <inheritdoc/>
    public override HuggingFaceConfig ConfigOf(HuggingFaceConfig encoder) => encoder.WithLabels(Labels);

    /// <summary>Each word's most frequent tag in training; for unknown words the most frequent of all.</summary>
    private FinetuneBaseline FrequentTags(TaggingData data)
    {
        IEnumerable<(string Word, string Tag)> pairs = data.Train.SelectMany(sentence => sentence.Words.Zip(sentence.Tags));
        Dictionary<string, string> best = pairs
            .GroupBy(pair => pair.Word, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => MostFrequent(group.Select(pair => pair.Tag)), StringComparer.Ordinal);
        string common = MostFrequent(pairs.Select(pair => pair.Tag));
        ChunkCounts counts = new();
        foreach (TaggedSentence sentence in data.Evaluation)
        {
            counts.AddSentence(sentence.Tags, [.. sentence.Words.Select(word => best.GetValueOrDefault(word, common))]);
        }

        return new FinetuneBaseline("frequent tags", Score.FiguresOf(counts).GetValueOrDefault(Metric));
    }

    private static string MostFrequent(IEnumerable<string> tags) =>
        tags.CountBy(tag => tag).OrderByDescending(item => item.Value).ThenBy(item => item.Key, StringComparer.Ordinal).First().Key;

    private sealed class Score(IReadOnlyList<string> tags) : ITaskScore
    {
        private readonly ChunkCounts counts = new();

        public static IReadOnlyDictionary<string, double> FiguresOf(ChunkCounts counts) =>
            new Dictionary<string, double>
            {
                ["entity_f1"] = counts.F1,
                ["precision"] = counts.Precision,
                ["recall"] = counts.Recall,
                ["accuracy"] = counts.Accuracy,
            };

        public void Add(EncodedExample[] batch, Tensor logits)
        {
            using Tensor best = logits.argmax(2);
            long[][] answers = [.. best.data<long>().ToArray().Chunk((int)logits.shape[1])];
            for (int i = 0; i < batch.Length; i++)
            {
                TagExample example = (TagExample)batch[i];
                string[] predicted =
                [
                    .. example.Tags.Select(
                        (_, word) => word < example.Places.Length ? tags[(int)answers[i][example.Places[word]]] : Outside
                    ),
                ];
                counts.AddSentence([.. example.Tags.Select(tag => tags[tag])], predicted);
            }
        }

        public IReadOnlyDictionary<string, double> Figures() => FiguresOf(counts);
    }
}
