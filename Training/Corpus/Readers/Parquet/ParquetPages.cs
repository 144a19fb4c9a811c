using System.IO.Compression;
using Parquet.Meta;
using ZstdSharp;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>
/// Looks at the pages of a column before the package takes memory for them: the package believes what a file says of itself, and
/// decompresses a page to its end, however far that is.
/// </summary>
internal static class ParquetPages
{
    private const int BufferBytes = 1 << 16;

    /// <summary>
    /// Throws unless all pages of a column of a row group together hold at most so many bytes, and each as many as it says.
    /// </summary>
    /// <param name="file">The file; its position changes.</param>
    /// <param name="column">What the file says of the column.</param>
    /// <param name="offset">Byte of its first page.</param>
    /// <param name="maxBytes">Uncompressed bytes at most.</param>
    /// <exception cref="InvalidDataException">They do not; the message names the page's offset.</exception>
    public static void Check(Stream file, ColumnMetaData column, long offset, long maxBytes)
    {
        long bytes = 0;
        long values = 0;
        while (values < column.NumValues)
        {
            file.Position = offset;
            ParquetPageHeader page = ReadHeader(file, offset);
            long start = file.Position;
            if (
                page.CompressedBytes < 0
                || page.UncompressedBytes < 0
                || page.Values < 0
                || page.LevelBytes < 0
                || page.LevelBytes > Math.Min(page.CompressedBytes, page.UncompressedBytes)
                || page.CompressedBytes > file.Length - start
            )
            {
                throw new InvalidDataException(
                    $"the page at byte {offset} says to take {page.CompressedBytes} bytes and to hold {page.UncompressedBytes}, "
                        + "which cannot be"
                );
            }

            bytes += page.UncompressedBytes;
            if (bytes > maxBytes)
            {
                throw new InvalidDataException(
                    $"with the page at byte {offset} the column holds {bytes} bytes uncompressed, more than {maxBytes}"
                );
            }

            CheckSize(file, page.IsCompressed ? column.Codec : CompressionCodec.UNCOMPRESSED, page, offset);
            values += page.Type is PageType.DATA_PAGE or PageType.DATA_PAGE_V2 ? page.Values : 0;
            offset = start + page.CompressedBytes;
        }
    }

    private static ParquetPageHeader ReadHeader(Stream file, long offset)
    {
        try
        {
            return ParquetPageHeader.Read(file);
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException or OverflowException)
        {
            throw new InvalidDataException($"no page header at byte {offset}: {exception.Message}", exception);
        }
    }

    /// <summary>Decompresses a page, keeping nothing, until it ends or holds more than it says.</summary>
    private static void CheckSize(Stream file, CompressionCodec codec, ParquetPageHeader page, long offset)
    {
        file.Position += page.LevelBytes;
        using var compressed = new Section(file, page.CompressedBytes - page.LevelBytes);
        long told = page.UncompressedBytes - page.LevelBytes;
        long held = codec switch
        {
            CompressionCodec.UNCOMPRESSED => page.CompressedBytes - page.LevelBytes,
            CompressionCodec.SNAPPY => SnappyLength(compressed),
            CompressionCodec.GZIP => Count(new GZipStream(compressed, CompressionMode.Decompress), told),
            CompressionCodec.BROTLI => Count(new BrotliStream(compressed, CompressionMode.Decompress), told),
            CompressionCodec.ZSTD => Count(new DecompressionStream(compressed), told),

            // A block of LZ4 is decompressed into memory of the size that the header says, and no other compression is read at all.
            _ => told,
        };
        if (held != told)
        {
            throw new InvalidDataException(
                $"the page at byte {offset} says to hold {page.UncompressedBytes} bytes and holds {(held > told ? "more" : "fewer")}: "
                    + "damaged, or a decompression bomb"
            );
        }
    }

    private static long Count(Stream decompressed, long most)
    {
        using (decompressed)
        {
            byte[] buffer = new byte[BufferBytes];
            long count = 0;
            while (count <= most && decompressed.Read(buffer) is > 0 and int read)
            {
                count += read;
            }

            return count;
        }
    }

    /// <summary>A block of Snappy begins with its uncompressed length.</summary>
    private static long SnappyLength(Stream block)
    {
        long length = 0;
        for (int shift = 0; shift < 35; shift += 7)
        {
            int next = block.ReadByte();
            length |= (long)(next & 0x7F) << shift;
            if (next is >= 0 and < 0x80)
            {
                return length;
            }
        }

        return -1;
    }

    /// <summary>The next bytes of a stream, as many as are told.</summary>
    private sealed class Section(Stream inner, long length) : ReadOnlyStream
    {
        private long left = length;

        public override int Read(Span<byte> buffer)
        {
            int read = inner.Read(buffer[..(int)Math.Min(buffer.Length, left)]);
            left -= read;
            return read;
        }
    }
}
