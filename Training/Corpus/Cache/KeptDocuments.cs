using System.Text.Json;
using ElectraPipeline.Training.Corpus.Readers;

namespace ElectraPipeline.Training.Corpus.Cache;

/// <summary>
/// Makes documents of lines that <see cref="DocumentLine.Write"/> wrote, with the lines at hand: they go to a part as they are. Not safe
/// for several threads.
/// </summary>
internal sealed class KeptDocuments
{
    private readonly Utf8Arena arena = new();

    // Documents of a file have one source, nearly always.
    private byte[] sourceBytes = [];
    private string source = "";

    /// <summary>The document of a line, given without its line feed; null: it is none.</summary>
    /// <exception cref="JsonException">An escape that is none.</exception>
    public Document? Read(ReadOnlySpan<byte> line)
    {
        if (!DocumentLine.TryFind(line, out _, out ReadOnlySpan<byte> text, out ReadOnlySpan<byte> from))
        {
            return null;
        }

        if (!from.SequenceEqual(sourceBytes))
        {
            (sourceBytes, source) = (from.ToArray(), DocumentLine.StringOf(from));
        }

        Memory<byte> written = arena.Take(line.Length + 1);
        line.CopyTo(written.Span);
        written.Span[^1] = (byte)'\n';
        Memory<byte> room = arena.Take(text.Length);
        return new Document(written, room[..DocumentLine.Unescape(text, room.Span)], source);
    }
}
