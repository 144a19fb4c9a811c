using System.Buffers;
using System.IO.Hashing;
using ZstdSharp;

namespace ElectraPipeline.Training.Corpus;

/// <summary>
/// Writes lines to a file, in one zstd frame if asked, and their hash, which <see cref="StoredLines"/> holds them against.
/// </summary>
internal sealed class StoredLinesWriter : IDisposable
{
    /// <summary>The fastest of zstd's usual levels: documents are read as often as they are written.</summary>
    private const int CompressionLevel = 1;

    private const int BufferBytes = 1 << 17;
    private readonly ArrayBufferWriter<byte> buffer = new(2 * BufferBytes);
    private readonly XxHash3 hash = new();
    private readonly PendingFile file;
    private readonly CompressionStream? zstd;

    /// <param name="path">The final name.</param>
    /// <param name="compress">Whether to compress.</param>
    /// <param name="durable">Whether it must survive a power cut; else it may be found damaged after one.</param>
    public StoredLinesWriter(string path, bool compress, bool durable)
    {
        file = new PendingFile(path, durable);
        zstd = compress ? new CompressionStream(file.Stream, CompressionLevel, leaveOpen: true) : null;
    }

    /// <summary>Writes a document.</summary>
    public void Write(Document document)
    {
        DocumentLine.Write(document, buffer);
        FlushIfFull();
    }

    /// <summary>Writes a line without line feed.</summary>
    public void Write(ReadOnlySpan<byte> line)
    {
        buffer.Write(line);
        buffer.Write("\n"u8);
        FlushIfFull();
    }

    /// <summary>XxHash3 of all lines so far, each with its line feed, as they are before compression; in hexadecimal.</summary>
    public string Hash()
    {
        Flush();
        return StoredLines.Told(hash);
    }

    /// <summary>Ends the file and gives it its name; without it nothing is left.</summary>
    public void Commit()
    {
        Flush();
        zstd?.Dispose();
        file.Commit();
    }

    /// <summary>
    /// An unfinished frame is abandoned: ending it would write to the file that is about to be deleted, on a disk that may be full.
    /// </summary>
    public void Dispose() => file.Dispose();

    private void FlushIfFull()
    {
        if (buffer.WrittenCount >= BufferBytes)
        {
            Flush();
        }
    }

    private void Flush()
    {
        hash.Append(buffer.WrittenSpan);
        (zstd ?? file.Stream).Write(buffer.WrittenSpan);
        buffer.ResetWrittenCount();
    }
}
