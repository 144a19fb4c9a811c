namespace ElectraPipeline.Training.Checkpoints.TensorFlow;

/// <summary>Numbers of 7 bits a byte, low bits first, as LevelDB, Snappy and protocol buffers share them.</summary>
internal static class Varint
{
    private const int MostBytes = 10;

    /// <summary>Reads one and moves <paramref name="at"/> behind it.</summary>
    /// <exception cref="InvalidDataException">The bytes end inside it, or it is longer than it need be.</exception>
    public static ulong Read(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (int i = 0; i < MostBytes; i++)
        {
            if (at >= bytes.Length)
            {
                throw new InvalidDataException($"ends inside a number at byte {at}");
            }

            byte part = bytes[at++];
            if ((i == MostBytes - 1 && part > 1) || (i > 0 && part == 0))
            {
                break;
            }

            value |= (ulong)(part & 0x7F) << (7 * i);
            if (part < 0x80)
            {
                return value;
            }
        }

        throw new InvalidDataException($"holds a number of more than 64 bits, or with a needless last byte, before byte {at}");
    }

    /// <summary>Reads one that must not exceed <paramref name="most"/>.</summary>
    /// <exception cref="InvalidDataException">It does, or it is not whole.</exception>
    public static int Read(ReadOnlySpan<byte> bytes, ref int at, int most)
    {
        int start = at;
        ulong value = Read(bytes, ref at);
        return value <= (ulong)most ? (int)value : throw new InvalidDataException($"has {value} at byte {start}, where {most} is the most");
    }
}
