using System.Buffers;
using System.Text;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>Whole lines of a stream.</summary>
/// <param name="Number">See <see cref="TextPiece"/>.</param>
/// <param name="LinesBefore">Lines in the pieces before.</param>
/// <param name="Text">The lines, each but the stream's last with its line feed.</param>
internal sealed record LinePiece(int Number, long LinesBefore, ReadOnlyMemory<byte> Text) : TextPiece(Number, Text);

/// <summary>
/// Hands out a stream of UTF-8 in pieces of whole lines; a byte-order mark is none of them. Safe for several threads.
/// </summary>
internal sealed class LinePieces(Stream stream)
{
    /// <summary>Little enough to stay near the processor.</summary>
    private const int PieceBytes = 1 << 18;

    private readonly Lock turn = new();
    private byte[] rest = [];
    private int number;
    private long lines;
    private bool ended;

    /// <summary>The next piece; null: there is none.</summary>
    public LinePiece? Next()
    {
        lock (turn)
        {
            if (ended)
            {
                return null;
            }

            byte[] piece = ArrayPool<byte>.Shared.Rent(Math.Max(PieceBytes, 2 * rest.Length));
            rest.CopyTo(piece, 0);
            int length = rest.Length;
            int read = stream.ReadAtLeast(piece.AsSpan(length), piece.Length - length, throwOnEndOfStream: false);
            ended = length + read < piece.Length;
            length += read;
            int start = number == 0 && piece.AsSpan(0, length).StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0;

            // Without a line feed all of it waits for the rest of the line, and the next piece is larger.
            int end = ended ? length : Math.Max(start, piece.AsSpan(0, length).LastIndexOf((byte)'\n') + 1);
            rest = piece[end..length];
            var next = new LinePiece(number++, lines, piece.AsMemory(start, end - start));
            lines += next.Text.Span.Count((byte)'\n');
            return next;
        }
    }

    /// <summary>
    /// Takes the first line off a text; false if there is none. A line feed ends a line, a carriage return before it goes with it, and a
    /// last line without line feed counts.
    /// </summary>
    public static bool TryTakeLine(ref ReadOnlyMemory<byte> text, out ReadOnlyMemory<byte> line)
    {
        int end = text.Span.IndexOf((byte)'\n');
        bool found = !text.IsEmpty;
        line = end < 0 ? text : text[..end];
        text = end < 0 ? default : text[(end + 1)..];
        line = line.Span.EndsWith("\r"u8) ? line[..^1] : line;
        return found;
    }
}
