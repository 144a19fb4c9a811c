using System.Text;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>The lines of a stream as bytes, without decoding: a line feed ends a line, a carriage return before it goes with it.</summary>
internal static class Utf8Lines
{
    /// <summary>
    /// The lines in order; each is valid until the next is asked for. A last line without line feed counts; a byte-order mark does not.
    /// </summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Read(Stream stream)
    {
        byte[] buffer = new byte[1 << 16];
        int filled = stream.ReadAtLeast(buffer.AsSpan(0, 3), 3, throwOnEndOfStream: false);
        filled = buffer.AsSpan(0, filled).SequenceEqual(Encoding.UTF8.Preamble) ? 0 : filled;
        int read;
        do
        {
            if (filled == buffer.Length)
            {
                Array.Resize(ref buffer, 2 * buffer.Length);
            }

            read = stream.Read(buffer, filled, buffer.Length - filled);
            filled += read;
            int start = 0;
            int end;
            while ((end = Array.IndexOf(buffer, (byte)'\n', start, filled - start)) >= 0)
            {
                yield return Trimmed(buffer, start, end);
                start = end + 1;
            }

            buffer.AsSpan(start, filled - start).CopyTo(buffer);
            filled -= start;
        } while (read > 0);
        if (filled > 0)
        {
            yield return Trimmed(buffer, 0, filled);
        }
    }

    private static ReadOnlyMemory<byte> Trimmed(byte[] buffer, int start, int end) =>
        buffer.AsMemory(start, (end > start && buffer[end - 1] == '\r' ? end - 1 : end) - start);
}
