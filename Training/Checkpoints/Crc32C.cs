using System.Buffers.Binary;
using System.Numerics;

namespace ElectraPipeline.Training.Checkpoints;

/// <summary>CRC-32C (Castagnoli), as LevelDB and TensorFlow keep it with their data.</summary>
internal struct Crc32C
{
    private const uint MaskDelta = 0xA282EAD8;
    private uint value;

    /// <summary>The checksum of all that was appended.</summary>
    public readonly uint Value => value;

    /// <summary>
    /// The checksum as it is stored: rotated and shifted, because a CRC over data that holds CRCs is weak (LevelDB, util/crc32c.h).
    /// </summary>
    public readonly uint Masked => BitOperations.RotateRight(Value, 15) + MaskDelta;

    /// <summary>Takes more bytes in.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        uint crc = ~value;
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        }

        foreach (byte value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        value = ~crc;
    }

    /// <summary>The masked checksum of one piece of data.</summary>
    public static uint MaskedOf(ReadOnlySpan<byte> bytes)
    {
        Crc32C crc = default;
        crc.Append(bytes);
        return crc.Masked;
    }
}
