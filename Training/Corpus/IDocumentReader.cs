namespace ElectraPipeline.Training.Corpus;

/// <summary>
/// One format of the corpus. Adding one is a class in this folder, a line in <see cref="DocumentFormats"/> and a test file.
/// </summary>
internal interface IDocumentReader
{
    /// <summary>The format's name in <see cref="CorpusOptions.Format"/>.</summary>
    string Format { get; }

    /// <summary>Name endings, without ".gz", ".zst", that say this format (".txt").</summary>
    IReadOnlyList<string> Extensions { get; }

    /// <summary>Members repeat whole lines, so that duplicate lines are dropped unless the options say otherwise.</summary>
    bool RepeatsLines => false;

    /// <summary>Whether a file that begins (decompressed) with <paramref name="head"/>, at most 4 KiB, is of this format.</summary>
    bool Recognizes(ReadOnlySpan<byte> head);

    /// <summary>
    /// Reads lazily, in file order. A record that cannot be read is a reject and reading goes on after it; damage that
    /// nothing can be read behind is thrown (<see cref="InvalidDataException"/> and the like) and <see cref="DocumentSource"/>
    /// makes it a reject.
    /// </summary>
    IEnumerable<ReadRecord> Read(SourceContent content, CorpusOptions options);
}
