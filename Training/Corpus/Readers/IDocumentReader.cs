namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>
/// One format of the corpus. Adding one is a class in this folder, a line in <see cref="DocumentFormats"/> and a test file.
/// </summary>
internal interface IDocumentReader
{
    /// <summary>The format's name in <see cref="CorpusOptions.Format"/>.</summary>
    string Format { get; }

    /// <summary>Name endings, without those of compressions (".gz"), that say this format (".txt").</summary>
    IReadOnlyList<string> Extensions { get; }

    /// <summary>Members repeat whole lines, so that duplicate lines are dropped unless the options say otherwise.</summary>
    bool RepeatsLines => false;

    /// <summary>Whether a file that begins with <paramref name="head"/> is of this format.</summary>
    /// <param name="head">The first bytes, decompressed, at most 4 KiB; UTF-16 with a byte-order mark as UTF-8, no mark.</param>
    Recognition Recognize(ReadOnlySpan<byte> head);

    /// <summary>
    /// Reads lazily, in file order. A record that cannot be read is a reject and reading goes on after it; damage that
    /// nothing can be read behind is thrown (<see cref="DamagedSourceException"/>, <see cref="InvalidDataException"/> and the
    /// like) and <see cref="DocumentSource"/> makes it a reject.
    /// </summary>
    IEnumerable<ReadRecord> Read(SourceContent content, CorpusOptions options);
}

/// <summary>How surely a file's first bytes tell its format.</summary>
internal enum Recognition
{
    /// <summary>They are not of this format.</summary>
    No,

    /// <summary>They may be; the name, if it says another format, is believed.</summary>
    Possible,

    /// <summary>A signature that nothing else begins with; the name does not matter.</summary>
    Certain,
}
