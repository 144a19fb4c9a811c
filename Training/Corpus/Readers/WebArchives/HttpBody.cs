using System.Buffers.Text;
using System.IO.Compression;
using ZstdSharp;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>Undoes chunked transfer encoding and content encodings of a recorded body.</summary>
/// <remarks>
/// Crawlers often store the body decoded and leave the header as it was sent: what does not begin as the header says is taken as
/// it is.
/// </remarks>
internal static class HttpBody
{
    /// <summary>The body as the server's application made it.</summary>
    /// <exception cref="InvalidDataException">
    /// It begins as its header says and breaks off, or is larger than <paramref name="maxBytes"/>.
    /// </exception>
    public static byte[] Decode(byte[] body, IReadOnlyDictionary<string, string> fields, int maxBytes)
    {
        if (fields.GetValueOrDefault("transfer-encoding", "").Contains("chunked", StringComparison.OrdinalIgnoreCase))
        {
            body = Dechunk(body);
        }

        string[] encodings = fields
            .GetValueOrDefault("content-encoding", "")
            .ToLowerInvariant()
            .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (string encoding in encodings.Reverse())
        {
            body = Decompress(body, encoding, maxBytes);
        }

        return body;
    }

    private static byte[] Dechunk(byte[] body)
    {
        var bytes = new ByteReader(new MemoryStream(body));
        var joined = new MemoryStream(body.Length);
        while (!bytes.AtEnd)
        {
            long offset = bytes.Offset;
            if (SizeOf(bytes.ReadLine(256)) is not int size)
            {
                return offset == 0 ? body : throw new InvalidDataException($"no chunk size at byte {offset} of the body");
            }

            if (size == 0)
            {
                return joined.ToArray();
            }

            byte[] chunk = bytes.Read(size);
            joined.Write(chunk);
            if (chunk.Length < size || bytes.ReadLine(1) is not { Length: 0 })
            {
                throw new InvalidDataException($"the chunk at byte {offset} of the body is not {size} bytes long");
            }
        }

        return joined.ToArray();
    }

    /// <summary>"1a3;name=value" is 0x1A3.</summary>
    private static int? SizeOf(ReadOnlyMemory<byte>? line)
    {
        ReadOnlySpan<byte> digits = line is null ? [] : line.Value.Span;
        int extension = digits.IndexOf((byte)';');
        digits = (extension < 0 ? digits : digits[..extension]).Trim(" \t"u8);
        return Utf8Parser.TryParse(digits, out int size, out int consumed, 'x') && consumed == digits.Length && size >= 0 ? size : null;
    }

    private static byte[] Decompress(byte[] body, string encoding, int maxBytes)
    {
        var compressed = new MemoryStream(body);
        ReadOnlySpan<byte> start = body;
        Stream? opened = encoding switch
        {
            "gzip" or "x-gzip" when Decompression.NameOf(start) == "gzip" => new GZipStream(compressed, CompressionMode.Decompress),
            "deflate" when start.Length > 1 && (start[0] & 0x0F) == 8 && ((start[0] << 8) | start[1]) % 31 == 0 => new ZLibStream(
                compressed,
                CompressionMode.Decompress
            ),
            "br" when !LooksLikeText(start) => new BrotliStream(compressed, CompressionMode.Decompress),
            "zstd" when Decompression.NameOf(start) == "zstd" => new DecompressionStream(compressed),
            _ => null,
        };
        if (opened is null)
        {
            return body;
        }

        using (opened)
        {
            return ReadAll(opened, encoding, maxBytes);
        }
    }

    private static byte[] ReadAll(Stream decompressed, string encoding, int maxBytes)
    {
        try
        {
            byte[] bytes = new ByteReader(decompressed).Read(maxBytes + 1);
            return bytes.Length <= maxBytes
                ? bytes
                : throw new InvalidDataException($"the {encoding} body grows beyond the {maxBytes} bytes of corpus.maxDocumentBytes");
        }
        catch (Exception exception) when (SourceContent.IsDamage(exception) || exception is InvalidOperationException)
        {
            throw new InvalidDataException($"damaged {encoding} body: {exception.Message}", exception);
        }
    }

    /// <summary>Brotli has no signature; text that was decoded already begins with printable characters.</summary>
    private static bool LooksLikeText(ReadOnlySpan<byte> start)
    {
        ReadOnlySpan<byte> head = start[..Math.Min(32, start.Length)];
        return head.IndexOfAnyInRange((byte)0, (byte)8) < 0
            && head.IndexOfAnyInRange((byte)14, (byte)31) < 0
            && PlainTextReader.Utf8Fault(head) is null or > 28;
    }
}
