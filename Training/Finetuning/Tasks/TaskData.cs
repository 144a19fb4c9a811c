using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ElectraPipeline.Training.Corpus;

namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>The labelled texts of one fine-tuning: read, split, cut to size. A function of (options, files, seed).</summary>
/// <param name="Train">What is trained on.</param>
/// <param name="Evaluation">What is measured on; shares no group with <paramref name="Train"/> where it was split off it.</param>
/// <param name="Labels">
/// All classes; a class's number is its place. Whole numbers are in numeric order, other labels in ordinal order.
/// </param>
/// <param name="Digest">SHA-256 of both lists, lower-case hexadecimal.</param>
internal sealed record TaskData(
    IReadOnlyList<TaskExample> Train,
    IReadOnlyList<TaskExample> Evaluation,
    IReadOnlyList<string> Labels,
    string Digest
)
{
    private const string BuiltIn = "dotnet-docs:";
    private const string MemberKind = "member-kind";

    /// <summary>Reads the data that options name, which are found in <paramref name="files"/>.</summary>
    /// <exception cref="PermanentException">Files, columns or rows are missing or malformed, or there is nothing to tell apart.</exception>
    public static TaskData Load(FinetuneOptions options, TaskFiles files, ulong seed)
    {
        (IReadOnlyList<TaskExample> train, IReadOnlyList<TaskExample> evaluation) = ExampleSelection.Load(
            options,
            seed,
            source => Read(source, options, files),
            example => example.Group ?? KeyOf(example),
            KeyOf,
            options.BothOrders ? InBothOrders : null
        );
        IReadOnlyList<string> labels = Order(train.Concat(evaluation).Select(example => example.Label).Distinct());
        return labels.Count >= 2 || options.Kind != "classification"
            ? new TaskData(train, evaluation, labels, DigestOf(train, evaluation))
            : throw new PermanentException($"{options.Train}: every label is \"{labels[0]}\"; classification needs at least two classes");
    }

    private static IReadOnlyList<TaskExample> Read(string source, FinetuneOptions options, TaskFiles files)
    {
        if (!source.StartsWith(BuiltIn, StringComparison.Ordinal))
        {
            return TaskFile.Read(files.PathOf(source), TaskColumns.Of(options), files.DigestOf(source));
        }

        return source[BuiltIn.Length..] == MemberKind
            ? [.. DotNetDocs.MemberKinds().Select(row => new TaskExample(row.Text, null, row.Label, row.Group))]
            : throw new PermanentException(
                $"finetune \"{options.Name}\": there is no built-in data \"{source}\"; there is " + $"\"{BuiltIn}{MemberKind}\""
            );
    }

    private static IReadOnlyList<TaskExample> InBothOrders(IReadOnlyList<TaskExample> examples) =>
        [.. examples, .. examples.Select(example => example with { Text = example.Pair!, Pair = example.Text })];

    private static string KeyOf(TaskExample example) => $"{example.Text}\0{example.Pair}";

    private static IReadOnlyList<string> Order(IEnumerable<string> labels)
    {
        string[] ordinal = [.. labels.Order(StringComparer.Ordinal)];
        return ordinal.All(label => long.TryParse(label, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
            ? [.. ordinal.OrderBy(label => long.Parse(label, CultureInfo.InvariantCulture))]
            : ordinal;
    }

    private static string DigestOf(params IReadOnlyList<TaskExample>[] lists)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (IReadOnlyList<TaskExample> list in lists)
        {
            hash.AppendData(BitConverter.GetBytes(list.Count));
            foreach (string field in list.SelectMany(example => new[] { example.Text, example.Pair ?? "", example.Label }))
            {
                byte[] bytes = Encoding.UTF8.GetBytes(field);
                hash.AppendData(BitConverter.GetBytes(bytes.Length)); // so that no text can imitate a border between fields
                hash.AppendData(bytes);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
