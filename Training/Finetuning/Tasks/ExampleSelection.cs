using System.IO.Hashing;
using System.Text;

namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>Splits examples and cuts them to size, as functions of their texts and a seed.</summary>
internal static class ExampleSelection
{
    /// <summary>
    /// The examples of one fine-tuning: a function of options, files and seed. Without an evaluation file whole groups are held out of the
    /// training file. An evaluation is cut by the hash of the examples and not by the seed, so that all seeds are measured on the same.
    /// </summary>
    /// <param name="options">Name the files and the sizes.</param>
    /// <param name="seed">Draws which examples are trained on.</param>
    /// <param name="read">Reads a file as options name it.</param>
    /// <param name="groupOf">What must not be on both sides of a split.</param>
    /// <param name="keyOf">What makes an example the one it is.</param>
    /// <param name="augment">Adds to the training examples before they are cut to size; null: nothing.</param>
    /// <exception cref="PermanentException">A file is missing or malformed, or cannot be split.</exception>
    public static (IReadOnlyList<T> Train, IReadOnlyList<T> Evaluation) Load<T>(
        FinetuneOptions options,
        ulong seed,
        Func<string, IReadOnlyList<T>> read,
        Func<T, string> groupOf,
        Func<T, string> keyOf,
        Func<IReadOnlyList<T>, IReadOnlyList<T>>? augment = null
    )
    {
        IReadOnlyList<T> all = read(options.Train);
        (IReadOnlyList<T> train, IReadOnlyList<T> evaluation) = options.Evaluation is { } file
            ? (all, read(file))
            : Split(all, groupOf, options.EvaluationShare, options.Train);
        train = Choose(augment?.Invoke(train) ?? train, options.MaxTrainExamples, seed);
        return (train, FirstByHash(evaluation, keyOf, options.MaxEvaluationExamples));
    }

    /// <summary>
    /// Holds groups out, in the order of their hash, each that still fits into the share of examples; if none fits, the smallest.
    /// Groups that overshoot are passed over because real groups differ in size by orders of magnitude.
    /// </summary>
    /// <exception cref="PermanentException">All examples are of one group.</exception>
    public static (IReadOnlyList<T> Train, IReadOnlyList<T> Evaluation) Split<T>(
        IReadOnlyList<T> examples,
        Func<T, string> groupOf,
        double share,
        string source
    )
    {
        List<IGrouping<string, T>> groups =
        [
            .. examples.GroupBy(groupOf).OrderBy(group => Hash(group.Key)).ThenBy(group => group.Key, StringComparer.Ordinal),
        ];
        if (groups.Count < 2)
        {
            throw new PermanentException(
                $"{source}: all examples are of one group, \"{groups[0].Key}\"; name an evaluation file or " + "another group column"
            );
        }

        long room = Math.Max(1, (long)Math.Round(share * examples.Count));
        HashSet<string> heldOut = [];
        foreach (IGrouping<string, T> group in groups)
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

        ILookup<bool, T> sides = examples.ToLookup(example => heldOut.Contains(groupOf(example)));
        return ([.. sides[false]], [.. sides[true]]);
    }

    /// <summary>At most so many examples (0: all), drawn by seed, in their order.</summary>
    public static IReadOnlyList<T> Choose<T>(IReadOnlyList<T> examples, int most, ulong seed)
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

    /// <summary>At most so many examples (0: all), the first by the hash of their key.</summary>
    public static IReadOnlyList<T> FirstByHash<T>(IReadOnlyList<T> examples, Func<T, string> keyOf, int most) =>
        most == 0 || examples.Count <= most ? examples : [.. examples.OrderBy(example => Hash(keyOf(example))).Take(most)];

    private static ulong Hash(string text) => XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(text));
}
