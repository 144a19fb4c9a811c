using System.Text;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>
/// ARC files, versions 1 and 2, the Internet Archive's format before WARC: HTTP responses behind lines of
/// "URL IP-address Archive-date Content-type Archive-length". Texts and rejects as in <see cref="WarcReader"/>.
/// </summary>
internal sealed class ArcReader : IDocumentReader
{
    private const int MaxLineBytes = 1 << 16;

    private static ReadOnlySpan<byte> Signature => "filedesc://"u8;

    public string Format => "arc";

    public IReadOnlyList<string> Extensions { get; } = [".arc"];

    public Recognition Recognize(ReadOnlySpan<byte> head) => head.StartsWith(Signature) ? Recognition.Certain : Recognition.No;

    public IEnumerable<ReadRecord> Read(SourceContent content, CorpusOptions options)
    {
        var bytes = new ByteReader(content.Stream);
        bool broken = false;
        while (bytes.SkipBlankLines())
        {
            long offset = bytes.Offset;
            string? line = bytes.ReadLine(MaxLineBytes) is { } read ? Encoding.UTF8.GetString(read.Span) : null;
            if (Header.Parse(line) is { } header)
            {
                broken = false;
                yield return ReadBlock(bytes, header, new PageOrigin(header.Address, content.Name, offset), options);
            }
            else if (!broken)
            {
                // Told once: what follows up to the next header is the rest of the same record.
                broken = true;
                yield return new Reject(
                    "broken-record",
                    content.Name,
                    0,
                    offset,
                    "no record header of the form \"URL IP-address date type length\" here"
                );
            }
        }
    }

    private static ReadRecord ReadBlock(ByteReader bytes, Header header, PageOrigin origin, CorpusOptions options)
    {
        if (header.Length > options.MaxDocumentBytes)
        {
            long skipped = bytes.Skip(header.Length);
            return skipped < header.Length
                ? Truncated(origin, skipped, header)
                : origin.Reject(
                    "record-too-large",
                    $"{header.Length} bytes, more than the {options.MaxDocumentBytes} of corpus.maxDocumentBytes"
                );
        }

        byte[] block = bytes.Read((int)header.Length);
        if (block.Length < header.Length)
        {
            return Truncated(origin, block.Length, header);
        }

        return header.Address.StartsWith("filedesc:", StringComparison.Ordinal) ? origin.Skip("filedesc-record", origin.Id)
            : block.AsSpan().StartsWith("HTTP/"u8) ? HttpResponse.ToRecord(block, origin, options)
            : WebPage.ToRecord(block, header.MediaType, origin);
    }

    private static ReadRecord Truncated(PageOrigin origin, long there, Header header) =>
        origin.Reject("truncated-record", $"{there} of {header.Length} bytes are there");

    /// <param name="Address">May hold spaces.</param>
    /// <param name="MediaType">As the server told it.</param>
    /// <param name="Length">Bytes of the block behind the line.</param>
    private sealed record Header(string Address, string MediaType, long Length)
    {
        private const int DateDigits = 14;

        /// <summary>
        /// Null for what is no header line. The address may hold spaces and version 2 has five more fields before the length, so the
        /// date, a number of 14 digits or more, is what the fields are counted from.
        /// </summary>
        public static Header? Parse(string? line)
        {
            string[] fields = line?.Split(' ') ?? [];
            int date = Array.FindLastIndex(
                fields,
                field => field.Length >= DateDigits && field.AsSpan().IndexOfAnyExceptInRange('0', '9') < 0
            );
            bool known = date >= 2 && date + 2 < fields.Length && fields[0].Contains(':');
            return known && long.TryParse(fields[^1], out long length) && length >= 0
                ? new Header(string.Join(' ', fields[..(date - 1)]), fields[date + 1], length)
                : null;
        }
    }
}
