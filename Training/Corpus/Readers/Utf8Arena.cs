namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>
/// Keeps copies of short texts side by side in arrays that are collected with the last of them: one allocation for hundreds of documents.
/// Not safe for several threads.
/// </summary>
internal sealed class Utf8Arena
{
    /// <summary>Below the 85,000 bytes from which on the runtime collects arrays rarely.</summary>
    private const int ArrayBytes = 80_000;

    /// <summary>A longer text has an array of its own.</summary>
    private const int Short = ArrayBytes / 4;

    private byte[] array = [];
    private int used;

    /// <summary>A copy of <paramref name="text"/>, which nothing will change.</summary>
    public ReadOnlyMemory<byte> Keep(ReadOnlySpan<byte> text)
    {
        Memory<byte> room = Take(text.Length);
        text.CopyTo(room.Span);
        return room;
    }

    /// <summary>Room for so many bytes, to be filled once.</summary>
    public Memory<byte> Take(int bytes)
    {
        if (bytes > Short)
        {
            return GC.AllocateUninitializedArray<byte>(bytes);
        }

        if (used + bytes > array.Length)
        {
            array = GC.AllocateUninitializedArray<byte>(ArrayBytes);
            used = 0;
        }

        used += bytes;
        return array.AsMemory(used - bytes, bytes);
    }
}
