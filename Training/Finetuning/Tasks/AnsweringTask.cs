using System.Security.Cryptography;
using System.Text;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Finetuning.Metrics;
using ElectraPipeline.Training.Tokenization;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>
/// Answers as spans of a text (SQuAD 1.1 and 2.0). Where questions may lack an answer, none is given if [CLS] outscores every span.
/// </summary>
internal sealed class AnsweringTask : FinetuneTask
{
    private const float Excluded = -1e9f;
    private readonly IReadOnlyList<WindowExample> train;
    private readonly IReadOnlyList<WindowExample> evaluation;
    private readonly IReadOnlyList<SpanQuestion> questions;
    private readonly bool mayLackAnswer;

    /// <summary>Reads the files that options name, which are found in <paramref name="files"/>.</summary>
    /// <exception cref="PermanentException">A file is missing or malformed.</exception>
    public AnsweringTask(FinetuneOptions options, TaskFiles files, ulong seed, ITokenizer tokenizer)
    {
        (IReadOnlyList<SpanQuestion> all, questions) = ExampleSelection.Load(
            options,
            seed,
            file => SquadFile.Read(files.PathOf(file), files.DigestOf(file)),
            question => question.Context,
            question => $"{question.Context}\0{question.Question}"
        );
        mayLackAnswer = all.Concat(questions).Any(question => question.Answers.Count == 0);
        ContextWindows windows = new(tokenizer, options.SequenceLength, options.DocumentStride);

        // Nothing is learned from an answer whose place in the file is wrong.
        IEnumerable<SpanQuestion> usable = all.Where(question =>
            question.Answers.Count == 0 || question.Answers.Any(answer => answer.Start >= 0)
        );
        train = [.. usable.SelectMany((question, i) => windows.Of(question, i))];
        evaluation = [.. questions.SelectMany((question, i) => windows.Of(question, i))];
        Digest = DigestOf(all, questions);
        Metric = options.Metric ?? "f1";
        if (train.Count == 0)
        {
            throw new PermanentException($"{options.Train}: no answer stands where the file says it does; nothing can be learned from it");
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<EncodedExample> Train => train;

    /// <inheritdoc/>
    public override IReadOnlyList<EncodedExample> Evaluation => evaluation;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Labels => [];

    /// <inheritdoc/>
    public override string Digest { get; }

    /// <inheritdoc/>
    public override TaskHead Head { get; } = new SpanHead();

    /// <inheritdoc/>
    public override string Metric { get; }

    /// <inheritdoc/>
    public override FinetuneBaseline Baseline => new("no answer", new Score(questions, mayLackAnswer).Figures().GetValueOrDefault(Metric));

    /// <summary>Half the negative log-likelihood of both ends, among the tokens that are no padding.</summary>
    public override Tensor Loss(Tensor logits, EncodedExample[] batch)
    {
        int length = (int)logits.shape[1];
        float[] padding = [.. batch.SelectMany(example => Enumerable.Range(0, length).Select(i => i < example.Ids.Length ? 0 : Excluded))];
        Tensor real = logits.add(tensor(padding, [batch.Length, length, 1], device: logits.device));
        Tensor[] ends = real.unbind(2);
        Tensor start = NegativeLogLikelihood(ends[0], Array.ConvertAll(batch, example => (long)((WindowExample)example).Start));
        Tensor end = NegativeLogLikelihood(ends[1], Array.ConvertAll(batch, example => (long)((WindowExample)example).End));
        return stack([start, end]).mean();

        static Tensor NegativeLogLikelihood(Tensor scores, long[] places) =>
            nn.functional.cross_entropy(scores, tensor(places, device: scores.device), reduction: nn.Reduction.Sum);
    }

    /// <inheritdoc/>
    public override ITaskScore NewScore() => new Score(questions, mayLackAnswer);

    /// <inheritdoc/>
    public override HuggingFaceConfig ConfigOf(HuggingFaceConfig encoder) => encoder;

    private static string DigestOf(params IReadOnlyList<SpanQuestion>[] lists)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string text in lists.SelectMany(list => list.SelectMany(FieldsOf).Append($"{list.Count}")))
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            hash.AppendData(BitConverter.GetBytes(bytes.Length)); // so that no text can imitate a border
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static IEnumerable<string> FieldsOf(SpanQuestion question) =>
        [question.Context, question.Question, .. question.Answers.Select(answer => $"{answer.Start} {answer.Text}")];

    private sealed class Score(IReadOnlyList<SpanQuestion> questions, bool mayLackAnswer) : ITaskScore
    {
        private readonly Dictionary<int, SpanChoice> chosen = [];

        public void Add(EncodedExample[] batch, Tensor logits)
        {
            int length = (int)logits.shape[1];
            float[] all = logits.contiguous().data<float>().ToArray();
            for (int i = 0; i < batch.Length; i++)
            {
                WindowExample window = (WindowExample)batch[i];
                SpanChoice choice = SpanChoice.Of(window, all.AsSpan(i * length * 2, length * 2));
                chosen[window.Question] = chosen.TryGetValue(window.Question, out SpanChoice? other) ? choice.Join(other) : choice;
            }
        }

        public IReadOnlyDictionary<string, double> Figures()
        {
            AnswerScores scores = new(mayLackAnswer);
            for (int i = 0; i < questions.Count; i++)
            {
                string answer = chosen.GetValueOrDefault(i)?.AnswerIn(questions[i].Context, mayLackAnswer) ?? "";
                scores.Add([.. questions[i].Answers.Select(expected => expected.Text)], answer);
            }

            return new Dictionary<string, double> { ["f1"] = scores.F1, ["exact_match"] = scores.ExactMatch };
        }
    }
}
