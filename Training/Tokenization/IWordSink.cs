using System.Runtime.Intrinsics;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>Takes the words of a text in order. Implemented by structs, so that the scanner is compiled for each of them.</summary>
internal interface IWordSink
{
    /// <summary>Called before calls of <see cref="Short"/> whose words hold at most <paramref name="bytes"/> bytes together.</summary>
    void Expect(int bytes);

    /// <summary>An ASCII word of 1 to 16 bytes, normalized, zeros behind it.</summary>
    void Short(Vector128<byte> word, int length);

    /// <summary>
    /// Any word, normalized. Where <paramref name="codePoints"/> is above the scanner's limit the word is cut and only its length right.
    /// </summary>
    void Any(scoped ReadOnlySpan<byte> word, int codePoints);

    /// <summary>
    /// Called at a line feed, behind the words before it. Never called if <see cref="SeesLines"/> is false.
    /// </summary>
    void EndLine();

    /// <summary>Whether it wants to know where lines end.</summary>
    static abstract bool SeesLines { get; }
}
