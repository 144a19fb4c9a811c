namespace ElectraPipeline.Training.Tokenization;

/// <summary>Trains a vocabulary on files at hand, without a corpus.</summary>
public static class VocabularyFromFiles
{
    /// <summary>
    /// Counts the words of <paramref name="inputs"/> (UTF-8 text, or ".tsv": lines "word, tab, count") and trains on them.
    /// <paramref name="initialOrder"/>: a vocab.txt whose tokens of the form ## and one character give the order of these ids.
    /// </summary>
    /// <param name="inputs">The files.</param>
    /// <param name="tokenizer">How text becomes words.</param>
    /// <param name="options">How the vocabulary is trained.</param>
    /// <param name="initialOrder">A vocabulary file, or null.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="threads">How many count words; they do not change the result. Null: one a processor.</param>
    /// <exception cref="PermanentException">A file is missing or malformed.</exception>
    public static Vocabulary Train(
        IReadOnlyList<string> inputs,
        TokenizerOptions tokenizer,
        VocabularyTrainerOptions options,
        string? initialOrder = null,
        CancellationToken cancellationToken = default,
        int? threads = null
    )
    {
        var counter = new WordCounter(tokenizer);
        foreach (string input in inputs)
        {
            if (!File.Exists(input))
            {
                throw new PermanentException($"input not found: {input}; give text files, or .tsv files of words and counts");
            }

            if (Path.GetExtension(input).Equals(".tsv", StringComparison.OrdinalIgnoreCase))
            {
                counter.Add(WordCounter.ReadCounts(input));
            }
            else
            {
                using FileStream stream = File.OpenRead(input);
                WordCounting.AddLines(counter, stream, threads ?? Environment.ProcessorCount, cancellationToken);
            }
        }

        if (initialOrder is not null)
        {
            options = options with { InitialOrder = VocabularyFile.Read(initialOrder) };
        }

        return new Vocabulary(VocabularyTrainer.Train(counter.Counts, options, cancellationToken));
    }
}
