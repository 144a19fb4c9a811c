using System.Security.Cryptography;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>Counts, and on wish hashes, the bytes that are read through it.</summary>
internal sealed class MeteredStream(Stream inner, IncrementalHash? hash = null, Action<long>? onRead = null) : ReadOnlyStream
{
    /// <summary>Bytes read so far.</summary>
    public long BytesRead { get; private set; }

    public override int Read(Span<byte> buffer)
    {
        int read = inner.Read(buffer);
        hash?.AppendData(buffer[..read]);
        BytesRead += read;
        onRead?.Invoke(read);
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
