namespace ElectraPipeline.Training.Corpus;

/// <summary>The formats there are.</summary>
internal static class DocumentFormats
{
    // Plain text recognizes everything, so it is asked last.
    private static readonly IReadOnlyList<IDocumentReader> Readers = [new JsonLinesReader(), new DotNetDocsReader(), new PlainTextReader()];

    /// <summary>The reader for a file, by the option, else the name, else the content.</summary>
    public static IDocumentReader For(SourceContent content, CorpusOptions options) => options.Format == "auto"
        ? Readers.FirstOrDefault(reader => reader.Extensions.Contains(content.Extension)) ?? Readers.First(reader => reader.Recognizes(content.Head))
        : Named(options.Format);

    /// <summary>Throws if <paramref name="format"/> is neither "auto" nor a format.</summary>
    public static void Check(string format)
    {
        if (format != "auto")
        {
            Named(format);
        }
    }

    private static IDocumentReader Named(string format) => Readers.FirstOrDefault(reader => reader.Format == format)
        ?? throw new PermanentException(
            $"corpus.format is \"{format}\"; it must be \"auto\" or one of {string.Join(", ", Readers.Select(reader => $"\"{reader.Format}\""))}");
}
