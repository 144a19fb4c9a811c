namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>Cuts a stream at '\n' without copying lines that fit its buffer.</summary>
/// <param name="stream">UTF-8 (or any encoding in which the byte 10 is a line feed).</param>
/// <param name="firstOffset">Offset in the file of the stream's first byte.</param>
/// <param name="maxLineBytes">Longer lines are skipped and told as <see cref="Overlong"/>.</param>
internal sealed class LineReader(Stream stream, long firstOffset, int maxLineBytes = LineReader.DefaultMaxLineBytes)
{
    /// <summary>64 MiB.</summary>
    public const int DefaultMaxLineBytes = 64 << 20;

    private byte[] buffer = new byte[Math.Min(1 << 18, maxLineBytes + 1)];
    private int start;
    private int end;
    private bool ended;

    /// <summary>The number of the line last read, from 1.</summary>
    public long Number { get; private set; }

    /// <summary>Offset in the file of the first byte of the line last read.</summary>
    public long Offset { get; private set; }

    /// <summary>The line last read is longer than allowed; its bytes were skipped and <see cref="Line"/> is empty.</summary>
    public bool Overlong { get; private set; }

    /// <summary>The line last read, without '\n' and without a '\r' before it; valid until the next call.</summary>
    public ReadOnlyMemory<byte> Line { get; private set; }

    /// <summary>The line last read as it stands, with what ends it; valid until the next call.</summary>
    public ReadOnlyMemory<byte> WholeLine { get; private set; }

    private long NextOffset { get; set; } = firstOffset;

    /// <summary>
    /// Reads the next line; false at the end. A last line without '\n' counts, an empty one after the last '\n' does not.
    /// </summary>
    public bool Read()
    {
        Offset = NextOffset;
        Overlong = false;
        int searched = 0;
        while (true)
        {
            int found = buffer.AsSpan(start + searched, end - start - searched).IndexOf((byte)'\n');
            if (found >= 0)
            {
                return Take(searched + found, 1);
            }

            searched = end - start;
            if (ended)
            {
                return (searched > 0 || Overlong) && Take(searched, 0);
            }

            if (searched > maxLineBytes || Overlong)
            {
                Overlong = true;
                NextOffset += searched;
                start = end = searched = 0;
            }

            Fill();
        }
    }

    private bool Take(int length, int terminator)
    {
        Overlong |= length > maxLineBytes;
        Memory<byte> line = buffer.AsMemory(start, Overlong ? 0 : length);
        Line = line.Span.EndsWith("\r"u8) ? line[..^1] : line;
        WholeLine = buffer.AsMemory(start, Overlong ? 0 : length + terminator);
        start += length + terminator;
        NextOffset += length + terminator;
        Number++;
        return true;
    }

    private void Fill()
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            end -= start;
            start = 0;
        }

        if (end == buffer.Length)
        {
            Array.Resize(ref buffer, (int)Math.Min(2L * buffer.Length, Math.Max(maxLineBytes + 1L, buffer.Length + 1L)));
        }

        int read = stream.Read(buffer.AsSpan(end));
        ended = read == 0;
        end += read;
    }
}
