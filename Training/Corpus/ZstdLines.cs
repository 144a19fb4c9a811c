using System.Text.Json;
using ElectraPipeline.Training.Corpus.Readers;
using ZstdSharp;

namespace ElectraPipeline.Training.Corpus;

/// <summary>The lines of a compressed file that this program wrote, so that whatever cannot be read in it is damage.</summary>
internal sealed class ZstdLines : IDisposable
{
    private readonly Func<string, Exception, Exception> damaged;
    private readonly DecompressionStream zstd;
    private readonly LineReader lines;

    /// <param name="path">The file.</param>
    /// <param name="damaged">Makes what is thrown of what was found ("behind line 7: ...") and why.</param>
    public ZstdLines(string path, Func<string, Exception, Exception> damaged)
    {
        this.damaged = damaged;
        zstd = new DecompressionStream(File.OpenRead(path), leaveOpen: false);
        lines = new LineReader(zstd, 0, int.MaxValue - 64);
    }

    /// <summary>
    /// Gives the next line to <paramref name="parse"/>; false at the end, which is read too: only behind it is the checksum known to be right.
    /// </summary>
    public bool Read(Action<ReadOnlySpan<byte>> parse)
    {
        try
        {
            if (!lines.Read())
            {
                return false;
            }

            parse(lines.Line.Span);
            return true;
        }
        catch (Exception exception) when (SourceContent.IsDamage(exception) || exception is JsonException or InvalidOperationException)
        {
            throw damaged($"behind line {lines.Number}: {exception.Message}", exception);
        }
    }

    public void Dispose() => zstd.Dispose();
}
