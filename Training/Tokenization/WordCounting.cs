using ElectraPipeline.Training.Corpus;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>
/// Counts words on some threads, each with a counter of its own; sums do not depend on which thread counted what. Memory: the distinct
/// words, once a thread.
/// </summary>
internal static class WordCounting
{
    /// <summary>Adds the words of UTF-8 lines; a byte-order mark is none. Where the text is cut between threads, a line ends.</summary>
    public static void AddLines(WordCounter counter, Stream stream, int threads, CancellationToken cancellationToken)
    {
        var pieces = new LinePieces(stream);
        Add(
            counter,
            threads,
            threads,
            (own, _) =>
            {
                while (pieces.Next() is { } piece)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    own.Add(piece.Text.Span);
                    piece.Dispose();
                }
            }
        );
    }

    /// <summary>Adds the words of the documents of a corpus.</summary>
    /// <param name="counter">Gets them.</param>
    /// <param name="parts">From <see cref="DocumentParts.PartsOf"/>.</param>
    /// <param name="threads">How many count.</param>
    /// <param name="onProgress">Hears how many parts are done, of how many; one thread at a time.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static void AddParts(
        WordCounter counter,
        IReadOnlyList<CorpusPart> parts,
        int threads,
        Action<int, int> onProgress,
        CancellationToken cancellationToken
    )
    {
        int done = 0;
        Add(
            counter,
            parts.Count,
            threads,
            (own, part) =>
            {
                using var texts = new DocumentTextReader(parts[part]);
                while (texts.Read())
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    own.Add(texts.Text);
                }
            },
            () => onProgress(++done, parts.Count)
        );
    }

    private static void Add(WordCounter counter, int jobs, int threads, Action<WordCounter, int> count, Action? onAdded = null)
    {
        var turn = new Lock();
        ParallelWork.For(
            jobs,
            threads,
            job =>
            {
                WordCounter own = counter.Another();
                count(own, job);
                lock (turn)
                {
                    counter.Add(own.Counts);
                    onAdded?.Invoke();
                }
            }
        );
    }
}
