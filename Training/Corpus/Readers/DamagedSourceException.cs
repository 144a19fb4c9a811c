namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>Nothing can be read behind this place of a source file; <see cref="DocumentSource"/> makes it the file's last reject.</summary>
/// <param name="reason">The reject's reason.</param>
/// <param name="message">The reject's detail.</param>
/// <param name="offset">Byte in the decompressed file; null if only that of the bytes read so far is known.</param>
internal sealed class DamagedSourceException(string reason, string message, long? offset = null) : Exception(message)
{
    public string Reason { get; } = reason;

    public long? Offset { get; } = offset;
}
