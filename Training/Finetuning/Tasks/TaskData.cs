using System.Globalization;
using System.IO.Hashing;
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
    IReadOnlyList<TaskExample> Train, IReadOnlyList<TaskExample> Evaluation, IReadOnlyList<string> Labels, string Digest)
{
    private const string BuiltIn = "dotnet-docs:";
    private const string MemberKind = "member-kind";

    /// <summary>Reads the data that options name, files relative to <paramref name="configFolder"/>.</summary>
    /// <exception cref="PermanentException">Files, columns or rows are missing or malformed, or there is nothing to tell apart.</exception>
    public static TaskData Load(FinetuneOptions options, string configFolder, ulong seed)
    {
        IReadOnlyList<TaskExample> train = Read(options.Train, options, configFolder);
        IReadOnlyList<TaskExample> evaluation;
        if (options.Evaluation is null)
        {
            (train, evaluation) = Split(train, options.EvaluationShare, options.Train);
        }
        else
        {
            evaluation = Read(options.Evaluation, options, configFolder);
        }

        train = Choose(train, options.MaxTrainExamples, seed);
        evaluation = FirstByHash(evaluation, options.MaxEvaluationExamples);
        IReadOnlyList<string> labels = Order(train.Concat(evaluation).Select(example => example.Label).Distinct());
        return labels.Count >= 2
            ? new TaskData(train, evaluation, labels, DigestOf(train, evaluation))
            : throw new PermanentException($"{options.Train}: every label is \"{labels[0]}\"; classification needs at least two classes");
    }

    private static IReadOnlyList<TaskExample> Read(string source, FinetuneOptions options, string configFolder)
    {
        if (!source.StartsWith(BuiltIn, StringComparison.Ordinal))
        {
            return TaskFile.Read(Path.Combine(configFolder, source), TaskColumns.Of(options));
        }

        return source[BuiltIn.Length..] == MemberKind
            ? [.. DotNetDocs.MemberKinds().Select(row => new TaskExample(row.Text, null, row.Label, row.Group))]
            : throw new PermanentException($"finetune \"{options.Name}\": there is no built-in data \"{source}\"; there is "
                + $"\"{BuiltIn}{MemberKind}\"");
    }

    /// <summary>
    /// Holds groups out, in the order of their hash, each that still fits into the share of examples; if none fits, the smallest.
    /// Groups that overshoot are passed over because real groups differ in size by orders of magnitude.
    /// </summary>
    private static (IReadOnlyList<TaskExample> Train, IReadOnlyList<TaskExample> Evaluation) Split(
        IReadOnlyList<TaskExample> examples, double share, string source)
    {
        List<IGrouping<string, TaskExample>> groups = [.. examples
            .GroupBy(GroupOf)
            .OrderBy(group => Hash(group.Key))
            .ThenBy(group => group.Key, StringComparer.Ordinal)];
        if (groups.Count < 2)
        {
            throw new PermanentException($"{source}: all examples are of one group, \"{groups[0].Key}\"; name an evaluation file or "
                + "another group column");
        }

        long room = Math.Max(1, (long)Math.Round(share * examples.Count));
        HashSet<string> heldOut = [];
        foreach (IGrouping<string, TaskExample> group in groups)
        {
            if (group.Count() <= room && heldOut.Count < groups.Count - 1)
            {
                heldOut.Add(group.Key);
                room -= group.Count();
            }
        }

        if (heldOut.Count == 0)
        {
            heldOut.Add(groups.MinBy(group => group.Count())!.Key);
        }

        ILookup<bool, TaskExample> sides = examples.ToLookup(example => heldOut.Contains(GroupOf(example)));
        return ([.. sides[false]], [.. sides[true]]);
    }

    private static string GroupOf(TaskExample example) => example.Group ?? KeyOf(example);

    private static string KeyOf(TaskExample example) => $"{example.Text}\0{example.Pair}";

    private static IReadOnlyList<TaskExample> Choose(IReadOnlyList<TaskExample> examples, int most, ulong seed)
    {
        if (most == 0 || examples.Count <= most)
        {
            return examples;
        }

        int[] order = [.. Enumerable.Range(0, examples.Count)];
        CounterRandom random = new(RandomPurpose.SeedFor(seed, RandomPurpose.ExampleSelection), 0);
        for (int i = 0; i < most; i++)
        {
            int j = i + random.Next(order.Length - i);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return [.. order.Take(most).Order().Select(i => examples[i])];
    }

    private static IReadOnlyList<TaskExample> FirstByHash(IReadOnlyList<TaskExample> examples, int most) =>
        most == 0 || examples.Count <= most ? examples : [.. examples.OrderBy(example => Hash(KeyOf(example))).Take(most)];

    private static IReadOnlyList<string> Order(IEnumerable<string> labels)
    {
        string[] ordinal = [.. labels.Order(StringComparer.Ordinal)];
        return ordinal.All(label => long.TryParse(label, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
            ? [.. ordinal.OrderBy(label => long.Parse(label, CultureInfo.InvariantCulture))]
            : ordinal;
    }

    private static ulong Hash(string text) => XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(text));

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
