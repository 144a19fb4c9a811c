using System.Collections.Frozen;
using System.Numerics;

namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>Stop words of some languages by their hashes. Safe for several threads.</summary>
internal sealed class StopWordTable
{
    private readonly FrozenDictionary<ulong, (int Language, byte Word)[]> places;
    private readonly int languages;

    /// <param name="stopWords">Hashes of at most eight words a language, see <see cref="TextWords.Hashes"/>.</param>
    public StopWordTable(IReadOnlyList<ulong[]> stopWords)
    {
        languages = stopWords.Count;
        places = stopWords
            .SelectMany((words, language) => words.Select((hash, word) => (Hash: hash, Place: (language, (byte)(1 << word)))))
            .GroupBy(word => word.Hash, word => word.Place)
            .ToFrozenDictionary(group => group.Key, group => group.ToArray());
    }

    /// <summary>
    /// How many different stop words of one language are among the words, of the language that has most; it may be more than what is told
    /// where that is <paramref name="enough"/>.
    /// </summary>
    public int MostOfOneLanguage(ReadOnlySpan<ulong> words, int enough)
    {
        Span<byte> found = stackalloc byte[languages];
        found.Clear();
        int most = 0;
        for (int i = 0; i < words.Length && most < enough; i++)
        {
            if (places.TryGetValue(words[i], out (int Language, byte Word)[]? known))
            {
                foreach ((int language, byte word) in known)
                {
                    found[language] |= word;
                    most = Math.Max(most, BitOperations.PopCount(found[language]));
                }
            }
        }

        return most;
    }
}
