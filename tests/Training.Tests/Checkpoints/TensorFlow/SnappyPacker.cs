namespace ElectraPipeline.Training.Tests.Checkpoints.TensorFlow;

/// <summary>Packs bytes as Snappy does, with every kind of tag that the format has, so that unpacking is tried on all of them.</summary>
internal static class SnappyPacker
{
    private const int ShortestCopy = 4;
    private const int LongestCopy = 64;

    public static byte[] Pack(ReadOnlySpan<byte> bytes)
    {
        using MemoryStream packed = new();
        ProtoBytes.WriteVarint(packed, (ulong)bytes.Length);
        Dictionary<uint, int> seen = [];
        int literal = 0,
            copies = 0;
        for (int at = 0; at < bytes.Length; )
        {
            int from = -1;
            if (at + ShortestCopy <= bytes.Length)
            {
                uint key = BitConverter.ToUInt32(bytes[at..]);
                from = seen.GetValueOrDefault(key, -1);
                seen[key] = at;
            }

            if (from < 0)
            {
                at++;
                continue;
            }

            WriteLiteral(packed, bytes[literal..at]);
            int length = bytes[at..].CommonPrefixLength(bytes[from..]);
            length = Math.Min(length, LongestCopy);
            WriteCopy(packed, at - from, length, copies++);
            literal = at += length;
        }

        WriteLiteral(packed, bytes[literal..]);
        return packed.ToArray();
    }

    private static void WriteLiteral(Stream packed, ReadOnlySpan<byte> literal)
    {
        if (literal.Length == 0)
        {
            return;
        }

        int length = literal.Length - 1;
        int extra =
            length < 60 ? 0
            : length < 1 << 8 ? 1
            : length < 1 << 16 ? 2
            : length < 1 << 24 ? 3
            : 4;
        packed.WriteByte((byte)((extra == 0 ? length : 59 + extra) << 2));
        packed.Write(BitConverter.GetBytes(length).AsSpan(0, extra));
        packed.Write(literal);
    }

    private static void WriteCopy(Stream packed, int distance, int length, int count)
    {
        if (distance < 2048 && length <= 11)
        {
            packed.WriteByte((byte)(((distance >> 8) << 5) | ((length - 4) << 2) | 1));
            packed.WriteByte((byte)distance);
        }
        else if (distance < 1 << 16 && count % 2 == 0)
        {
            packed.WriteByte((byte)(((length - 1) << 2) | 2));
            packed.Write(BitConverter.GetBytes((ushort)distance));
        }
        else
        {
            packed.WriteByte((byte)(((length - 1) << 2) | 3));
            packed.Write(BitConverter.GetBytes(distance));
        }
    }
}
