using System.Xml;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>Reads one source file, whatever its format, and turns damage into a reject.</summary>
internal static class DocumentSource
{
    /// <summary>The format of a file that no reader recognizes.</summary>
    public const string UnknownFormat = "unknown";

    private const string DamagedReason = "damaged-file";

    /// <summary>
    /// The file's records, lazily, in order. Damage that nothing can be read behind (a truncated gzip member, a broken zstd
    /// frame, malformed XML) ends it with one reject; the documents before it stand.
    /// </summary>
    /// <param name="file">From <see cref="SourceFiles.Resolve"/>.</param>
    /// <param name="options">How to read.</param>
    /// <param name="onRead">Hears the bytes that leave the disk, for progress.</param>
    /// <param name="onFormat">Hears which reader was chosen, before its first record; null for an unknown format.</param>
    public static IEnumerable<ReadRecord> Read(
        SourceFile file,
        CorpusOptions options,
        Action<long>? onRead = null,
        Action<IDocumentReader?>? onFormat = null
    )
    {
        using var content = new SourceContent(file, options.MaxExpansion, onRead);
        IDocumentReader? reader = DocumentFormats.For(content, options);
        onFormat?.Invoke(reader);
        if (reader is null)
        {
            yield return Unknown(content);
        }
        else
        {
            using IEnumerator<ReadRecord> records = reader.Read(content, options).GetEnumerator();
            while (Next(records, content, out ReadRecord record, out bool damaged))
            {
                yield return record;
                if (damaged)
                {
                    break;
                }
            }
        }

        content.CheckUnchanged();
    }

    private static ReadRecord Unknown(SourceContent content)
    {
        string bytes = Convert.ToHexString(content.Head[..Math.Min(8, content.Head.Length)]);
        return new Reject(
            "unknown-format",
            content.Name,
            0,
            0,
            $"begins with the bytes {bytes}, which no reader knows; leave the file out of corpus.paths, or name its format in corpus.format"
        );
    }

    private static bool Next(IEnumerator<ReadRecord> records, SourceContent content, out ReadRecord record, out bool damaged)
    {
        damaged = false;
        try
        {
            bool any = records.MoveNext();
            record = any ? records.Current : default;
            return any;
        }
        catch (Exception exception) when (SourceContent.IsDamage(exception))
        {
            record = Describe(exception, content);
            damaged = true;
            return true;
        }
    }

    private static Reject Describe(Exception exception, SourceContent content) =>
        exception switch
        {
            DamagedSourceException damage => new(damage.Reason, content.Name, 0, damage.Offset ?? content.Position, damage.Message),
            XmlException xml => new(DamagedReason, content.Name, xml.LineNumber, content.Position, xml.Message),
            _ => new(DamagedReason, content.Name, 0, content.Position, exception.Message),
        };
}
