namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>
/// Refuses a record that never ends. An XML parser gathers attributes and names of any length in memory; what it may take of its
/// input for one record bounds that.
/// </summary>
internal sealed class RecordBoundStream(Stream inner) : ReadOnlyStream
{
    private const long MaxRecordBytes = 64 << 20;
    private long taken;

    /// <summary>A new record begins about here.</summary>
    public void BeginRecord() => taken = 0;

    public override int Read(Span<byte> buffer)
    {
        int read = inner.Read(buffer);
        taken += read;
        return taken <= MaxRecordBytes
            ? read
            : throw new DamagedSourceException("record-too-large", $"one element takes more than {MaxRecordBytes} bytes");
    }
}
