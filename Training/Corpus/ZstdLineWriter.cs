using System.Buffers;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace ElectraPipeline.Training.Corpus;

/// <summary>Writes a file of lines in one checked zstd frame; without <see cref="Commit"/> nothing is left of it.</summary>
internal sealed class ZstdLineWriter : IDisposable
{
    /// <summary>The fastest of zstd's usual levels: documents are read as often as they are written, and kept beside shards of their size.</summary>
    private const int CompressionLevel = 1;

    private const int BufferBytes = 1 << 17;
    private readonly ArrayBufferWriter<byte> buffer = new(BufferBytes);
    private readonly PendingFile file;
    private readonly CompressionStream zstd;

    public ZstdLineWriter(string path)
    {
        file = new PendingFile(path);
        zstd = new CompressionStream(file.Stream, CompressionLevel, leaveOpen: true);
        zstd.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
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

    /// <summary>Ends the frame and gives the file its name.</summary>
    public void Commit()
    {
        Flush();
        zstd.Dispose();
        file.Commit();
    }

    /// <summary>An unfinished frame is abandoned: ending it would write to the file that is about to be deleted, on a disk that may be full.</summary>
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
        zstd.Write(buffer.WrittenSpan);
        buffer.ResetWrittenCount();
    }
}
