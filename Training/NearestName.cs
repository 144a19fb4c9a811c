namespace ElectraPipeline.Training;

/// <summary>Finds what a misspelt name was meant to be.</summary>
public static class NearestName
{
    /// <summary>
    /// The candidate with the fewest insertions, deletions, substitutions and swaps of neighbours from <paramref name="name"/>, case
    /// ignored, the first of
    /// equals; null where none shares even half of its characters.
    /// </summary>
    public static string? Of(string name, IEnumerable<string> candidates)
    {
        (string Candidate, int Distance)[] near =
        [
            .. candidates
                .Select(candidate => (Candidate: candidate, Distance: Distance(name.ToLowerInvariant(), candidate.ToLowerInvariant())))
                .Where(item => 2 * item.Distance <= Math.Max(name.Length, item.Candidate.Length)),
        ];
        return near.Length == 0 ? null : near.MinBy(item => item.Distance).Candidate;
    }

    // Optimal string alignment: two neighbours swapped, the commonest slip of fingers, count as one edit.
    private static int Distance(string first, string second)
    {
        int[] older = [],
            old = [],
            row = [.. Enumerable.Range(0, second.Length + 1)];
        for (int i = 1; i <= first.Length; i++)
        {
            (older, old, row) = (old, row, new int[second.Length + 1]);
            row[0] = i;
            for (int j = 1; j <= second.Length; j++)
            {
                int substitution = old[j - 1] + (first[i - 1] == second[j - 1] ? 0 : 1);
                row[j] = Math.Min(substitution, 1 + Math.Min(old[j], row[j - 1]));
                if (i > 1 && j > 1 && first[i - 1] == second[j - 2] && first[i - 2] == second[j - 1])
                {
                    row[j] = Math.Min(row[j], older[j - 2] + 1);
                }
            }
        }

        return row[^1];
    }
}
