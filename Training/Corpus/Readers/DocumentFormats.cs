namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>The formats there are.</summary>
internal static class DocumentFormats
{
    // Plain text recognizes nearly everything, so it is asked last.
    private static readonly IReadOnlyList<IDocumentReader> Readers =
    [
        new ParquetDocumentReader(),
        new WarcReader(),
        new ArcReader(),
        new MediaWikiReader(),
        new DotNetDocsReader(),
        new JsonLinesReader(),
        new PlainTextReader(),
    ];

    /// <summary>
    /// The reader for a file: the one that the options name, else one whose signature the content bears, else one that the name
    /// says, else one that the content may be for; null for what is no text in any known form.
    /// </summary>
    public static IDocumentReader? For(SourceContent content, CorpusOptions options)
    {
        if (options.Format != "auto")
        {
            return Named(options.Format);
        }

        IDocumentReader? possible = null;
        foreach (IDocumentReader reader in Readers)
        {
            switch (reader.Recognize(content.Head))
            {
                case Recognition.Certain:
                    return reader;
                case Recognition.Possible:
                    possible ??= reader;
                    break;
            }
        }

        return Readers.FirstOrDefault(reader => reader.Extensions.Contains(content.Extension)) ?? possible;
    }

    /// <summary>Throws if <paramref name="format"/> is neither "auto" nor a format.</summary>
    public static void Check(string format)
    {
        if (format != "auto")
        {
            Named(format);
        }
    }

    private static IDocumentReader Named(string format) =>
        Readers.FirstOrDefault(reader => reader.Format == format)
        ?? throw new PermanentException(
            $"corpus.format is \"{format}\"; it must be \"auto\" or one of "
                + string.Join(", ", Readers.Select(reader => $"\"{reader.Format}\""))
        );
}
