using System.Buffers.Binary;

namespace ElectraPipeline.Training.Checkpoints.TensorFlow;

/// <summary>How a checkpoint stores texts: all lengths, a checksum of the lengths, all bytes.</summary>
internal static class TextTensor
{
    /// <summary>The texts of a stored tensor.</summary>
    /// <param name="stored">Its bytes.</param>
    /// <param name="count">How many texts.</param>
    /// <param name="checksum">The index's masked checksum, of lengths as numbers, their checksum, and the bytes.</param>
    /// <exception cref="InvalidDataException">The bytes are not what the format says.</exception>
    public static IReadOnlyList<byte[]> Parse(ReadOnlySpan<byte> stored, long count, uint checksum)
    {
        if (count < 0 || count > stored.Length)
        {
            throw new InvalidDataException($"has {count} texts in {stored.Length} bytes");
        }

        int[] lengths = new int[count];
        Crc32C crc = default;
        int at = 0;
        for (int i = 0; i < lengths.Length; i++)
        {
            lengths[i] = Varint.Read(stored, ref at, stored.Length);
            AppendNumber(ref crc, (uint)lengths[i]);
        }

        uint ofLengths = crc.Masked;
        if (stored.Length - at < 4 || BinaryPrimitives.ReadUInt32LittleEndian(stored[at..]) != ofLengths)
        {
            throw new InvalidDataException("has lengths that do not give their checksum: damaged");
        }

        AppendNumber(ref crc, ofLengths);
        ReadOnlySpan<byte> texts = stored[(at + 4)..];
        crc.Append(texts);
        return lengths.Sum(length => (long)length) != texts.Length || crc.Masked != checksum
            ? throw new InvalidDataException($"has checksum {crc.Masked:x8}, the index says {checksum:x8}: damaged")
            : Cut(texts, lengths);
    }

    private static byte[][] Cut(ReadOnlySpan<byte> texts, int[] lengths)
    {
        byte[][] cut = new byte[lengths.Length][];
        for (int i = 0, start = 0; i < lengths.Length; start += lengths[i++])
        {
            cut[i] = texts.Slice(start, lengths[i]).ToArray();
        }

        return cut;
    }

    private static void AppendNumber(ref Crc32C crc, uint number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, number);
        crc.Append(bytes);
    }
}
