namespace ElectraPipeline.Training;

/// <summary>Finds what a misspelt name was meant to be.</summary>
public static class NearestName
{
    /// <summary>
    /// The candidate with the fewest insertions, deletions and substitutions from <paramref name="name"/>, case ignored, the first of
    /// equals; null where none shares even half of its characters.
    /// </summary>
    public static string? Of(string name, IEnumerable<string> candidates)
    {
        (string Candidate, int Distance)[] near = [.. candidates
            .Select(candidate => (Candidate: candidate, Distance: Distance(name.ToLowerInvariant(), candidate.ToLowerInvariant())))
            .Where(item => 2 * item.Distance <= Math.Max(name.Length, item.Candidate.Length))];
        return near.Length == 0 ? null : near.MinBy(item => item.Distance).Candidate;
    }

    // One row of the classic table at a time.
    private static int Distance(string first, string second)
    {
        int[] row = [.. Enumerable.Range(0, second.Length + 1)];
        for (int i = 1; i <= first.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= second.Length; j++)
            {
                int substitution = diagonal + (first[i - 1] == second[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substitution, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[^1];
    }
}
