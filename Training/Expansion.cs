namespace ElectraPipeline.Training;

/// <summary>How much compressed data may grow before it counts as a decompression bomb.</summary>
internal static class Expansion
{
    /// <summary>Times its size that text may grow to, unless an option says otherwise.</summary>
    public const int Usual = 250;

    /// <summary>Up to here data may grow as it likes: 64 MiB are no danger.</summary>
    private const long Free = 64 << 20;

    /// <summary>Whether so many bytes grew to more than they may.</summary>
    /// <param name="compressed">Bytes that were read.</param>
    /// <param name="grown">Bytes that came of them so far.</param>
    /// <param name="times">How many times as many are allowed.</param>
    public static bool IsBomb(long compressed, long grown, int times) => grown > Free && grown > times * compressed;
}
