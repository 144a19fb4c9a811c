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
        if (text.Length > Short)
        {
            return text.ToArray();
        }

        if (used + text.Length > array.Length)
        {
            array = GC.AllocateUninitializedArray<byte>(ArrayBytes);
            used = 0;
        }

        text.CopyTo(array.AsSpan(used));
        used += text.Length;
        return array.AsMemory(used - text.Length, text.Length);
    }
}
