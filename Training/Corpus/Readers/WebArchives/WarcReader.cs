namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>
/// WARC files (ISO 28500) and the text-only WET files: web pages as readable text, one document each. Of "response" records the
/// HTTP body is taken, of "resource" and "conversion" records the block; the other types are skipped and counted.
/// </summary>
/// <remarks>
/// Records are framed by their Content-Length. Where that leads nowhere, the record is rejected and reading goes on at the next line that
/// begins one; but if the header's lines end in LF instead of CRLF, somebody converted the line ends and made all lengths wrong: such a
/// record goes to the next line that begins one. One record is in memory at a time, at most <see cref="CorpusOptions.MaxDocumentBytes"/>;
/// larger ones are rejected.
/// </remarks>
internal sealed class WarcReader : IDocumentReader
{
    private const int MaxHeaderBytes = 1 << 16;

    private static readonly HashSet<string> OtherTypes = ["warcinfo", "request", "metadata", "revisit", "continuation"];

    private static ReadOnlySpan<byte> Marker => "WARC/"u8;

    public string Format => "warc";

    public IReadOnlyList<string> Extensions { get; } = [".warc", ".wet"];

    public Recognition Recognize(ReadOnlySpan<byte> head) =>
        head.TrimStart("\r\n"u8).StartsWith(Marker) ? Recognition.Certain : Recognition.No;

    public IEnumerable<ReadRecord> Read(SourceContent content, CorpusOptions options)
    {
        var bytes = new ByteReader(content.Stream);
        while (bytes.SkipBlankLines())
        {
            long offset = bytes.Offset;
            if (!bytes.Follows(Marker))
            {
                yield return new Reject("broken-record", content.Name, 0, offset, "no record begins here (\"WARC/\")");
                bytes.SkipToLine(Marker);
                continue;
            }

            bool converted = bytes.Follows("WARC/1.0\n"u8) || bytes.Follows("WARC/1.1\n"u8);
            Record record = ReadHeader(bytes, new Record(content.Name, offset) { LineEndsConverted = converted });
            if (record.Fault is null)
            {
                record = ReadBlock(bytes, record, options.MaxDocumentBytes);
            }

            if (record.Fault is null)
            {
                yield return ToRecord(record, options);
            }
            else
            {
                yield return record.Fault;
            }
        }
    }

    private static Record ReadHeader(ByteReader bytes, Record record)
    {
        int budget = MaxHeaderBytes;
        Dictionary<string, string>? fields = HeaderFields.Read(bytes, ref budget, out _);
        if (fields is null)
        {
            bytes.SkipToLine(Marker);
            return record.Broken("broken-record", $"the header does not end within {MaxHeaderBytes} bytes");
        }

        string? length = fields.GetValueOrDefault("content-length");
        if (!long.TryParse(length, out long count) || count < 0)
        {
            bytes.SkipToLine(Marker);
            return record.Broken("broken-record", $"Content-Length is {(length is null ? "missing" : $"\"{length}\"")}");
        }

        return record with
        {
            Fields = fields,
            Length = count,
        };
    }

    private static Record ReadBlock(ByteReader bytes, Record record, int maxBytes)
    {
        if (record.Length > maxBytes || !record.LineEndsConverted && OtherTypes.Contains(record.Type))
        {
            long skipped = bytes.Skip(record.Length);
            return skipped < record.Length ? record.Truncated(skipped)
                : EndsHere(bytes) ? TooLarge(record, maxBytes)
                : Resume(bytes, record);
        }

        record = record with { Block = bytes.Read((int)record.Length) };
        return EndsHere(bytes) && record.Block.Length == record.Length ? record
            : record.LineEndsConverted ? ReadToMarker(bytes, record, maxBytes)
            : Reframe(bytes, record);
    }

    private static Record TooLarge(Record record, int maxBytes) =>
        OtherTypes.Contains(record.Type)
            ? record
            : record.Broken("record-too-large", $"{record.Length} bytes, more than the {maxBytes} of corpus.maxDocumentBytes");

    /// <summary>
    /// A record is followed by blank lines and then another record or the end; if not, no bytes but blank lines are taken.
    /// </summary>
    private static bool EndsHere(ByteReader bytes)
    {
        long offset = bytes.Offset;
        bool ends = !bytes.SkipBlankLines() || bytes.Follows(Marker);
        if (!ends && bytes.Offset > offset)
        {
            bytes.Unread("\n"u8);
        }

        return ends;
    }

    private static Record Resume(ByteReader bytes, Record record)
    {
        bytes.SkipToLine(Marker);
        return record.Broken("broken-record", $"no record begins where Content-Length {record.Length} leads");
    }

    /// <summary>
    /// The length is wrong: if a record begins inside the block, reading goes on there, so that it is not lost with this one.
    /// </summary>
    private static Record Reframe(ByteReader bytes, Record record)
    {
        int inside = record.Block.AsSpan().IndexOf("\nWARC/1."u8);
        if (inside >= 0)
        {
            bytes.Unread(record.Block.AsSpan(inside + 1));
            return record.Broken("broken-record", $"another record begins before the end of Content-Length {record.Length}");
        }

        return record.Block.Length < record.Length ? record.Truncated(record.Block.Length) : Resume(bytes, record);
    }

    private static Record ReadToMarker(ByteReader bytes, Record record, int maxBytes)
    {
        bytes.Unread(record.Block);
        var block = new MemoryStream();
        while (!bytes.AtEnd && !bytes.Follows(Marker))
        {
            if (bytes.ReadLine((int)(maxBytes - block.Length)) is not { } line)
            {
                bytes.SkipToLine(Marker);
                return record.Broken("record-too-large", $"more than the {maxBytes} bytes of corpus.maxDocumentBytes");
            }

            block.Write(line.Span);
            block.WriteByte((byte)'\n');
        }

        return record with
        {
            Block = block.ToArray(),
        };
    }

    private static ReadRecord ToRecord(Record record, CorpusOptions options)
    {
        var origin = new PageOrigin(record.Id, record.Source, record.Offset);
        string mediaType = record.Fields.GetValueOrDefault("content-type", "");
        return record.Type switch
        {
            "response" when mediaType.StartsWith("application/http", StringComparison.OrdinalIgnoreCase) => HttpResponse.ToRecord(
                record.Block,
                origin,
                options
            ),
            "response" or "resource" or "conversion" => WebPage.ToRecord(record.Block, mediaType, origin),
            { } type when OtherTypes.Contains(type) => origin.Skip($"{type}-record", record.Id),
            { } type => origin.Skip("other-record", $"WARC-Type \"{type}\""),
        };
    }

    /// <summary>One record as far as it is read.</summary>
    private sealed record Record(string Source, long Offset)
    {
        public IReadOnlyDictionary<string, string> Fields { get; init; } = new Dictionary<string, string>();

        public long Length { get; init; }

        public byte[] Block { get; init; } = [];

        public bool LineEndsConverted { get; init; }

        public Reject? Fault { get; private init; }

        public string Type => Fields.GetValueOrDefault("warc-type", "").ToLowerInvariant();

        /// <summary>The page's address, else the record's own id; wget puts angle brackets around the address.</summary>
        public string Id =>
            (Fields.GetValueOrDefault("warc-target-uri") ?? Fields.GetValueOrDefault("warc-record-id") ?? $"{Source}:{Offset}").Trim(
                '<',
                '>',
                ' '
            );

        public Record Broken(string reason, string detail) => this with { Fault = new Reject(reason, Source, 0, Offset, detail) };

        public Record Truncated(long there) => Broken("truncated-record", $"{there} of {Length} bytes are there");
    }
}
