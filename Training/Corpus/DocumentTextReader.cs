using System.Text.Json;
using ElectraPipeline.Training.Corpus.Readers;
using ZstdSharp;

namespace ElectraPipeline.Training.Corpus;

/// <summary>Reads the texts of a part as UTF-8: <see cref="DocumentParts.Read"/> without a string, or anything, made for each.</summary>
internal sealed class DocumentTextReader : IDisposable
{
    private readonly string path;
    private readonly DecompressionStream zstd;
    private readonly LineReader lines;
    private byte[] text = [];
    private int length;

    /// <param name="path">One of <see cref="DocumentParts.List"/>.</param>
    public DocumentTextReader(string path)
    {
        this.path = path;
        zstd = new DecompressionStream(File.OpenRead(path), leaveOpen: false);
        lines = new LineReader(zstd, 0, int.MaxValue - 64);
    }

    /// <summary>The text of the document last read; valid until the next.</summary>
    public ReadOnlySpan<byte> Text => text.AsSpan(0, length);

    /// <summary>Reads the next document; false at the end.</summary>
    /// <exception cref="PermanentException">The part is damaged; the message names the line.</exception>
    public bool Read()
    {
        try
        {
            if (!lines.Read())
            {
                return false;
            }

            Parse(lines.Line.Span);
            return true;
        }
        catch (Exception exception) when (SourceContent.IsDamage(exception) || exception is JsonException or InvalidOperationException)
        {
            throw new PermanentException($"{path} is damaged behind line {lines.Number}: {exception.Message}; ingest again", exception);
        }
    }

    public void Dispose() => zstd.Dispose();

    private void Parse(ReadOnlySpan<byte> line)
    {
        var json = new Utf8JsonReader(line);
        bool found = false;
        while (json.Read())
        {
            if (json.TokenType == JsonTokenType.PropertyName && json.CurrentDepth == 1 && json.ValueTextEquals("text"u8))
            {
                json.Read();
                Take(ref json);
                found = true;
            }
        }

        if (!found)
        {
            throw new JsonException("a record without text");
        }
    }

    private void Take(ref Utf8JsonReader json)
    {
        // Taking escapes out never makes a text longer.
        if (text.Length < json.ValueSpan.Length)
        {
            text = new byte[Math.Max(1 << 16, 2 * json.ValueSpan.Length)];
        }

        length = json.CopyString(text);
    }
}
