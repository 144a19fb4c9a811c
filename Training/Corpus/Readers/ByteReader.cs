namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>Lines and counted bytes from one stream, with the offset of each, for formats that mix both.</summary>
internal sealed class ByteReader(Stream stream)
{
    private byte[] buffer = new byte[1 << 16];
    private int start;
    private int end;
    private bool ended;

    /// <summary>Offset in the stream of the next byte.</summary>
    public long Offset { get; private set; }

    /// <summary>Whether no byte is left.</summary>
    public bool AtEnd => start == end && !Fill();

    /// <summary>
    /// The next line without its end ("\n" or "\r\n"), valid until the next call; null if it is longer than
    /// <paramref name="maxBytes"/>, of which then that many bytes have been read.
    /// </summary>
    public ReadOnlyMemory<byte>? ReadLine(int maxBytes)
    {
        int searched = 0;
        while (true)
        {
            int found = buffer.AsSpan(start + searched, end - start - searched).IndexOf((byte)'\n');
            int length = found >= 0 ? searched + found : end - start;
            if (length > maxBytes)
            {
                Take(maxBytes);
                return null;
            }

            if (found >= 0 || !Fill())
            {
                ReadOnlyMemory<byte> line = buffer.AsMemory(start, length);
                Take(found >= 0 ? length + 1 : length);
                return line.Span.EndsWith("\r"u8) ? line[..^1] : line;
            }

            searched = length;
        }
    }

    /// <summary>
    /// The next bytes, copied; fewer only at the end. Memory grows with what is there, not with <paramref name="count"/>.
    /// </summary>
    public byte[] Read(int count)
    {
        var bytes = new MemoryStream();
        while (bytes.Length < count && !AtEnd)
        {
            int length = (int)Math.Min(count - bytes.Length, end - start);
            bytes.Write(buffer, start, length);
            Take(length);
        }

        return bytes.ToArray();
    }

    /// <summary>Skips bytes; returns how many there were.</summary>
    public long Skip(long count)
    {
        long skipped = 0;
        while (skipped < count && !AtEnd)
        {
            int length = (int)Math.Min(count - skipped, end - start);
            Take(length);
            skipped += length;
        }

        return skipped;
    }

    /// <summary>Whether the next bytes are these.</summary>
    public bool Follows(ReadOnlySpan<byte> bytes)
    {
        while (end - start < bytes.Length && Fill()) { }

        return buffer.AsSpan(start, end - start).StartsWith(bytes);
    }

    /// <summary>Skips to the next <paramref name="marker"/> that begins a line; to the end, and false, if there is none.</summary>
    public bool SkipToLine(ReadOnlySpan<byte> marker)
    {
        while (!AtEnd)
        {
            int lineFeed = buffer.AsSpan(start, end - start).IndexOf((byte)'\n');
            Take(lineFeed < 0 ? end - start : lineFeed + 1);
            if (lineFeed >= 0 && Follows(marker))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Skips line ends; false if nothing is behind them.</summary>
    public bool SkipBlankLines()
    {
        while (Follows("\n"u8) || Follows("\r\n"u8))
        {
            ReadLine(2);
        }

        return !AtEnd;
    }

    /// <summary>Gives back bytes just read, which come next again.</summary>
    public void Unread(ReadOnlySpan<byte> bytes)
    {
        byte[] joined = new byte[Math.Max(buffer.Length, bytes.Length + end - start)];
        bytes.CopyTo(joined);
        buffer.AsSpan(start, end - start).CopyTo(joined.AsSpan(bytes.Length));
        (buffer, start, end) = (joined, 0, bytes.Length + end - start);
        Offset -= bytes.Length;
    }

    private void Take(int count)
    {
        start += count;
        Offset += count;
    }

    /// <summary>Reads more behind what is there; false at the end of the stream.</summary>
    private bool Fill()
    {
        if (ended)
        {
            return false;
        }

        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }

        if (end == buffer.Length)
        {
            Array.Resize(ref buffer, 2 * buffer.Length);
        }

        int read = stream.Read(buffer.AsSpan(end));
        ended = read == 0;
        end += read;
        return read > 0;
    }
}
