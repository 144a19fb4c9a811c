using System.Buffers.Binary;

namespace ElectraPipeline.Training.Checkpoints.TensorFlow;

/// <summary>
/// Unpacks a block of the Snappy format (google/snappy, format_description.txt): literals, and copies of what came before.
/// </summary>
internal static class Snappy
{
    // A copy of 64 bytes takes 3, so nothing unpacks to more than 22 times its size; a length beyond that is a lie.
    private const int MostGrowth = 22;

    /// <summary>The unpacked bytes.</summary>
    /// <exception cref="InvalidDataException">The block is not what the format says.</exception>
    public static byte[] Unpack(ReadOnlySpan<byte> packed)
    {
        int at = 0;
        ulong length = Varint.Read(packed, ref at);
        if (length > (ulong)packed.Length * MostGrowth)
        {
            throw new InvalidDataException($"{packed.Length} packed bytes cannot hold the {length} that they announce");
        }

        byte[] unpacked = new byte[length];
        int done = 0;
        while (at < packed.Length)
        {
            byte tag = packed[at++];
            if ((tag & 3) == 0)
            {
                TakeLiteral(packed, ref at, tag, unpacked, ref done);
            }
            else
            {
                Copy(packed, ref at, tag, unpacked, ref done);
            }
        }

        return done == unpacked.Length
            ? unpacked
            : throw new InvalidDataException($"unpacks to {done} bytes, not the {unpacked.Length} announced");
    }

    private static void TakeLiteral(ReadOnlySpan<byte> packed, ref int at, byte tag, Span<byte> unpacked, ref int done)
    {
        int extra = Math.Max(0, (tag >> 2) - 59);
        long length = (extra == 0 ? tag >> 2 : (long)Number(packed, ref at, extra)) + 1;
        if (length > packed.Length - at || length > unpacked.Length - done)
        {
            throw new InvalidDataException($"a literal of {length} bytes at packed byte {at} does not fit");
        }

        packed.Slice(at, (int)length).CopyTo(unpacked[done..]);
        at += (int)length;
        done += (int)length;
    }

    private static void Copy(ReadOnlySpan<byte> packed, ref int at, byte tag, Span<byte> unpacked, ref int done)
    {
        (int length, uint distance) = (tag & 3) switch
        {
            1 => (((tag >> 2) & 7) + 4, ((uint)(tag >> 5) << 8) | Number(packed, ref at, 1)),
            2 => ((tag >> 2) + 1, Number(packed, ref at, 2)),
            _ => ((tag >> 2) + 1, Number(packed, ref at, 4)),
        };
        if (distance == 0 || distance > done || length > unpacked.Length - done)
        {
            throw new InvalidDataException($"a copy of {length} bytes from {distance} back at unpacked byte {done} does not fit");
        }

        // Byte by byte: a copy may reach into what it writes, which repeats a pattern.
        for (int i = 0; i < length; i++, done++)
        {
            unpacked[done] = unpacked[done - (int)distance];
        }
    }

    private static uint Number(ReadOnlySpan<byte> packed, ref int at, int bytes)
    {
        if (bytes > packed.Length - at)
        {
            throw new InvalidDataException($"ends inside a number at packed byte {at}");
        }

        Span<byte> little = stackalloc byte[4];
        packed.Slice(at, bytes).CopyTo(little);
        at += bytes;
        return BinaryPrimitives.ReadUInt32LittleEndian(little);
    }
}
