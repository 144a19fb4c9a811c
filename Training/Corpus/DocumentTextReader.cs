using System.Text.Json;

namespace ElectraPipeline.Training.Corpus;

/// <summary>Reads the texts of a part as UTF-8: <see cref="DocumentParts.Read"/> without a string, or anything, made for each.</summary>
internal sealed class DocumentTextReader : IDisposable
{
    private readonly PartLines lines;
    private readonly Action<ReadOnlySpan<byte>> take;
    private byte[] text = [];
    private int length;

    /// <param name="part">Which.</param>
    public DocumentTextReader(CorpusPart part)
    {
        lines = new PartLines(part);
        take = Take;
    }

    /// <summary>The text of the document last read; valid until the next.</summary>
    public ReadOnlySpan<byte> Text => text.AsSpan(0, length);

    /// <summary>Reads the next document; false at the end.</summary>
    /// <exception cref="PermanentException">The part is damaged; the message names the line, or says that its hash is another.</exception>
    public bool Read() => lines.Read(take);

    public void Dispose() => lines.Dispose();

    private void Take(ReadOnlySpan<byte> line)
    {
        if (!DocumentLine.TryFind(line, out _, out ReadOnlySpan<byte> escaped, out _))
        {
            throw new JsonException("no document");
        }

        if (text.Length < escaped.Length)
        {
            text = new byte[Math.Max(1 << 16, 2 * escaped.Length)];
        }

        length = DocumentLine.Unescape(escaped, text);
    }
}
