using ICSharpCode.SharpZipLib;
using ICSharpCode.SharpZipLib.BZip2;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>The text of bzip2 streams one behind the other, as parallel compressors and Wikipedia's multistream dumps write them.</summary>
/// <exception cref="InvalidDataException">The bytes are damaged or end too early.</exception>
internal sealed class BZip2Members(Stream compressed) : ReadOnlyStream
{
    private readonly PeekableStream source = new(compressed);
    private readonly byte[] block = new byte[1 << 16];
    private BZip2InputStream? member;
    private int start;
    private int end;

    public override int Read(Span<byte> buffer)
    {
        if (start == end && !Fill())
        {
            return 0;
        }

        int count = Math.Min(buffer.Length, end - start);
        block.AsSpan(start, count).CopyTo(buffer);
        start += count;
        return count;
    }

    private bool Fill()
    {
        start = end = 0;
        while (end == 0)
        {
            if (member is null && !OpenNext())
            {
                return false;
            }

            end = Guarded(() => member!.Read(block, 0, block.Length));
            member = end == 0 ? null : member;
        }

        return true;
    }

    /// <summary>Checks the header itself: the package takes a wrong one for an empty stream.</summary>
    private bool OpenNext()
    {
        ReadOnlySpan<byte> header = source.Peek(4);
        if (header.IsEmpty)
        {
            return false;
        }

        if (header.Length < 4 || !header.StartsWith("BZh"u8) || header[3] is < (byte)'1' or > (byte)'9')
        {
            throw new InvalidDataException("bytes behind a bzip2 stream are not another one");
        }

        member = Guarded(() => new BZip2InputStream(source) { IsStreamOwner = false });
        return true;
    }

    /// <summary>The package walks its tables with indexes from the file: damage shows as any of these.</summary>
    private static T Guarded<T>(Func<T> decode)
    {
        try
        {
            return decode();
        }
        catch (Exception exception)
            when (exception is SharpZipBaseException or IndexOutOfRangeException or NullReferenceException or EndOfStreamException)
        {
            throw new InvalidDataException($"damaged bzip2 stream: {exception.Message}", exception);
        }
    }

    /// <summary>A buffer in front of a stream, for readers that take single bytes and leave the rest where it is.</summary>
    private sealed class PeekableStream(Stream inner) : ReadOnlyStream
    {
        private readonly byte[] buffer = new byte[1 << 16];
        private int start;
        private int end;

        public ReadOnlySpan<byte> Peek(int count)
        {
            if (end - start < count)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                (start, end) = (0, end - start);
                end += inner.ReadAtLeast(buffer.AsSpan(end), count - end, throwOnEndOfStream: false);
            }

            return buffer.AsSpan(start, Math.Min(count, end - start));
        }

        public override int ReadByte() => Peek(1).IsEmpty ? -1 : buffer[start++];

        public override int Read(Span<byte> destination)
        {
            int count = Math.Min(destination.Length, Peek(1).IsEmpty ? 0 : end - start);
            buffer.AsSpan(start, count).CopyTo(destination);
            start += count;
            return count;
        }
    }
}
