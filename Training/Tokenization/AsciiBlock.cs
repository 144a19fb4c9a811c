using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>BERT's character classes for ASCII, many bytes at a time.</summary>
internal static class AsciiBlock
{
    /// <summary>
    /// Sorts the 64 bytes at <paramref name="block"/>, one bit each: letters and digits; punctuation; and what is neither these nor
    /// space, tab, line feed or carriage return (control characters and all bytes above 0x7E).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Classify(ref byte block, out ulong letters, out ulong punctuation, out ulong irregular)
    {
        Classify(Vector256.LoadUnsafe(ref block), out uint lettersLow, out uint spacesLow, out uint irregularLow);
        Classify(Vector256.LoadUnsafe(ref block, 32), out uint lettersHigh, out uint spacesHigh, out uint irregularHigh);
        letters = lettersLow | ((ulong)lettersHigh << 32);
        irregular = irregularLow | ((ulong)irregularHigh << 32);
        punctuation = ~(letters | irregular | spacesLow | ((ulong)spacesHigh << 32));
    }

    /// <summary>The line feeds of the 64 bytes at <paramref name="block"/>, one bit each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong LineFeeds(ref byte block) =>
        Vector256.Equals(Vector256.LoadUnsafe(ref block), Vector256.Create((byte)'\n')).ExtractMostSignificantBits()
        | ((ulong)Vector256.Equals(Vector256.LoadUnsafe(ref block, 32), Vector256.Create((byte)'\n')).ExtractMostSignificantBits() << 32);

    /// <summary>Turns A to Z into a to z.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Lower(Vector128<byte> characters)
    {
        Vector128<byte> capitals = Vector128.LessThan(characters - Vector128.Create((byte)'A'), Vector128.Create((byte)26));
        return characters | (capitals & Vector128.Create((byte)0x20));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Classify(Vector256<byte> characters, out uint letters, out uint spaces, out uint irregular)
    {
        Vector256<byte> lowered = characters | Vector256.Create((byte)0x20);
        Vector256<byte> isLetter =
            Vector256.LessThan(lowered - Vector256.Create((byte)'a'), Vector256.Create((byte)26))
            | Vector256.LessThan(characters - Vector256.Create((byte)'0'), Vector256.Create((byte)10));
        Vector256<byte> isSpace =
            Vector256.Equals(characters, Vector256.Create((byte)' '))
            | Vector256.Equals(characters, Vector256.Create((byte)'\n'))
            | Vector256.Equals(characters, Vector256.Create((byte)'\t'))
            | Vector256.Equals(characters, Vector256.Create((byte)'\r'));
        Vector256<byte> isPrintable = Vector256.LessThan(characters - Vector256.Create((byte)' '), Vector256.Create((byte)0x5F));
        letters = isLetter.ExtractMostSignificantBits();
        spaces = isSpace.ExtractMostSignificantBits();
        irregular = ~(isPrintable | isSpace).ExtractMostSignificantBits();
    }
}
