namespace ElectraPipeline.Training.Corpus;

/// <summary>Reads one source file, whatever its format, and turns damage into a reject.</summary>
internal static class DocumentSource
{
    /// <summary>
    /// The file's records, lazily, in order. Damage that nothing can be read behind (a truncated gzip member, a broken zstd
    /// frame, malformed XML) ends it with one reject; the documents before it stand.
    /// </summary>
    /// <param name="file">From <see cref="SourceFiles.Resolve"/>.</param>
    /// <param name="options">How to read.</param>
    /// <param name="onRead">Hears the bytes that leave the disk, for progress.</param>
    /// <param name="onFormat">Hears which reader was chosen, before its first record.</param>
    public static IEnumerable<ReadRecord> Read(
        SourceFile file, CorpusOptions options, Action<long>? onRead = null, Action<IDocumentReader>? onFormat = null)
    {
        using var content = new SourceContent(file, onRead);
        IDocumentReader reader = DocumentFormats.For(content, options);
        onFormat?.Invoke(reader);
        using IEnumerator<ReadRecord> records = reader.Read(content, options).GetEnumerator();
        while (Next(records, content, out ReadRecord record))
        {
            yield return record;
            if (record.Reject is { Reason: DamagedReason })
            {
                break;
            }
        }

        content.CheckUnchanged();
    }

    private const string DamagedReason = "damaged-file";

    private static bool Next(IEnumerator<ReadRecord> records, SourceContent content, out ReadRecord record)
    {
        try
        {
            bool any = records.MoveNext();
            record = any ? records.Current : default;
            return any;
        }
        catch (Exception exception) when (SourceContent.IsDamage(exception))
        {
            long line = (exception as System.Xml.XmlException)?.LineNumber ?? 0;
            record = new Reject(DamagedReason, content.Name, line, content.Position, exception.Message);
            return true;
        }
    }
}
