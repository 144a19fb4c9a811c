using System.Globalization;
using System.IO.Hashing;
using System.Text.Json;
using ElectraPipeline.Training.Corpus.Readers;

namespace ElectraPipeline.Training.Corpus;

/// <summary>The lines of a file that a <see cref="StoredLinesWriter"/> wrote, so that whatever cannot be read in it is damage.</summary>
internal sealed class StoredLines : IDisposable
{
    private readonly Func<string, Exception?, Exception> damaged;
    private readonly FileStream file;
    private readonly Stream stream;
    private readonly LineReader lines;
    private readonly XxHash3 hash = new();

    /// <param name="path">The file.</param>
    /// <param name="damaged">Makes what is thrown of what was found ("behind line 7: ...") and why.</param>
    public StoredLines(string path, Func<string, Exception?, Exception> damaged)
    {
        this.damaged = damaged;
        file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        Span<byte> magic = stackalloc byte[Decompression.MagicBytes];
        magic = magic[..file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false)];
        file.Position = 0;
        stream = Decompression.Open(magic, file, file.Length) ?? file;
        lines = new LineReader(stream, 0, int.MaxValue - 64);
    }

    /// <summary>Lines read.</summary>
    public long Count => lines.Number;

    /// <summary>XxHash3 of the lines before the one that is being parsed; behind <see cref="Read"/>, of all lines read.</summary>
    public string Hash => Told(hash);

    /// <summary>Gives the next line to <paramref name="parse"/>; false at the end.</summary>
    public bool Read(Action<ReadOnlySpan<byte>> parse)
    {
        try
        {
            if (!lines.Read())
            {
                return false;
            }

            parse(lines.Line.Span);
            hash.Append(lines.WholeLine.Span);
            return true;
        }
        catch (Exception exception) when (SourceContent.IsDamage(exception) || exception is JsonException or InvalidOperationException)
        {
            throw damaged($"behind line {lines.Number}: {exception.Message}", exception);
        }
    }

    /// <summary>Throws if the lines read are not so many, of that hash.</summary>
    public void Check(long count, string? told)
    {
        if (Count != count)
        {
            throw damaged($"at its end: it holds {Count} lines, not {count}", null);
        }

        if (told is not null && Hash != told)
        {
            throw damaged($"somewhere: its lines have the hash {Hash}, not {told}", null);
        }
    }

    public void Dispose()
    {
        stream.Dispose();
        file.Dispose();
    }

    internal static string Told(XxHash3 hash) => hash.GetCurrentHashAsUInt64().ToString("x16", CultureInfo.InvariantCulture);
}
