using ElectraPipeline.Training.Corpus;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>What became of a vocabulary.</summary>
/// <param name="Tokens">Tokens in it.</param>
/// <param name="Words">Distinct words counted; 0 if it was given.</param>
/// <param name="Digest">SHA-256 of vocab.txt, hex.</param>
public sealed record VocabularyResult(int Tokens, long Words, string Digest);

/// <summary>The vocabulary stage: trains a vocabulary on documents, or takes the one given.</summary>
public static class VocabularyProgram
{
    /// <summary>Reads the "corpus" artifact and writes the "vocabulary" artifact into <paramref name="outputFolder"/>.</summary>
    /// <param name="corpusFolder">The "corpus" artifact.</param>
    /// <param name="options">How to train, or which file to take.</param>
    /// <param name="outputFolder">Receives the vocabulary.</param>
    /// <param name="reporter">Hears progress.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <param name="sha256">Digest that the given file must have; null: any.</param>
    /// <exception cref="PermanentException">The given file is no vocabulary, or lacks a special token.</exception>
    public static VocabularyResult Run(
        string corpusFolder,
        VocabularyOptions options,
        string outputFolder,
        IStageReporter reporter,
        CancellationToken cancellationToken,
        string? sha256 = null
    )
    {
        var tokenizer = TokenizerOptions.From(options);
        var (vocabulary, words) = options.Path is { } path
            ? (Vocabulary.Load(path, needed: null, sha256), 0L)
            : Train(corpusFolder, options, tokenizer, reporter, cancellationToken);
        VocabularyStore.Write(outputFolder, vocabulary, tokenizer);
        reporter.Log($"vocabulary of {vocabulary.Count:N0} tokens");
        return new VocabularyResult(vocabulary.Count, words, vocabulary.Digest);
    }

    private static (Vocabulary Vocabulary, long Words) Train(
        string corpusFolder,
        VocabularyOptions options,
        TokenizerOptions tokenizer,
        IStageReporter reporter,
        CancellationToken cancellationToken
    )
    {
        var counter = new WordCounter(tokenizer);
        WordCounting.AddParts(
            counter,
            DocumentParts.PartsOf(corpusFolder),
            Environment.ProcessorCount,
            (done, parts) => reporter.Progress(done, parts, "parts"),
            cancellationToken
        );
        reporter.Log($"{counter.Counts.Count:N0} distinct words");
        var trained = VocabularyTrainer.Train(
            counter.Counts,
            new VocabularyTrainerOptions
            {
                Size = options.Size,
                MinFrequency = options.MinFrequency,
                LimitAlphabet = options.LimitAlphabet,
            },
            cancellationToken
        );
        return (new Vocabulary(trained), counter.Counts.Count);
    }
}
