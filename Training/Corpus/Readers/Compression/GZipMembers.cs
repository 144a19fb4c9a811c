using System.IO.Compression;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>
/// The text of gzip members one behind the other. Bytes behind the last one that are neither a member nor zeros are damage.
/// </summary>
/// <remarks>
/// <see cref="GZipStream"/> passes over such bytes without a word, and so over a second half of a file whose first bytes are
/// broken. It reads ahead, so what it left is known only if it is given little at a time: near the end of the file single bytes.
/// </remarks>
/// <param name="compressed">From the first byte on.</param>
/// <param name="length">How many bytes it has.</param>
internal sealed class GZipMembers(Stream compressed, long length) : ReadOnlyStream
{
    private readonly TailStream source = new(compressed, length);
    private GZipStream? gzip;

    public override int Read(Span<byte> buffer)
    {
        gzip ??= new GZipStream(source, CompressionMode.Decompress);
        int read = gzip.Read(buffer);
        if (read == 0 && !buffer.IsEmpty)
        {
            source.RefuseRest();
        }

        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            gzip?.Dispose();
        }

        base.Dispose(disposing);
    }

    private sealed class TailStream(Stream inner, long length) : ReadOnlyStream
    {
        // The buffer of GZipStream, and some more.
        private const int TailBytes = 1 << 14;
        private long read;
        private bool atEnd;
        private byte last;

        public override int Read(Span<byte> buffer)
        {
            long untilTail = length - TailBytes - read;
            int count = inner.Read(
                untilTail > 0 ? buffer[..(int)Math.Min(buffer.Length, untilTail)] : buffer[..Math.Min(1, buffer.Length)]
            );
            read += count;
            atEnd |= count == 0;
            last = count > 0 ? buffer[count - 1] : last;
            return count;
        }

        /// <summary>
        /// Behind a member the decompressor asks for more until it meets the end or a byte that begins no other member: that one is
        /// the last it took.
        /// </summary>
        public void RefuseRest()
        {
            long end = read - 1;
            bool zeros = last == 0;
            Span<byte> rest = stackalloc byte[1 << 10];
            while (!atEnd && zeros)
            {
                int count = inner.Read(rest);
                read += count;
                atEnd = count == 0;
                zeros = rest[..count].IndexOfAnyExcept((byte)0) < 0;
            }

            if (!atEnd)
            {
                throw new DamagedSourceException(
                    "trailing-bytes",
                    $"at byte {end} of the {length} compressed ones a gzip member ends and something else begins"
                );
            }
        }
    }
}
