namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>Reads structures in Thrift's compact protocol, as much of it as is needed to look for some numbers and skip the rest.</summary>
internal sealed class CompactThrift(Stream stream)
{
    public const int True = 1;
    public const int Struct = 12;

    private const int False = 2;
    private const int Byte = 3;
    private const int Int16 = 4;
    private const int Integer = 5;
    private const int Int64 = 6;
    private const int Double = 7;
    private const int Binary = 8;
    private const int List = 9;
    private const int Set = 10;

    /// <summary>Statistics hold a smallest and a largest value; more than this is damage.</summary>
    private const int MaxSkipped = 64 << 20;

    /// <summary>Structures and lists in each other.</summary>
    private const int MaxDepth = 16;

    private int depth;

    /// <summary>The next field's number, which counts on from the one before, and its kind; false at the structure's end.</summary>
    public bool NextField(ref int field, out int kind)
    {
        int head = ReadByte();
        kind = head & 0xF;
        if (head == 0)
        {
            return false;
        }

        field = head >> 4 == 0 ? (short)ZigZag() : field + (head >> 4);
        return true;
    }

    /// <summary>A field that must be a 32-bit number.</summary>
    public int Int32(int kind)
    {
        Expect(kind, Integer);
        return checked((int)ZigZag());
    }

    public void Expect(int kind, int expected)
    {
        if (kind != expected)
        {
            throw new InvalidDataException($"a field of kind {kind} where one of kind {expected} belongs");
        }
    }

    /// <summary>Skips a field; returns what it is given, for use in expressions.</summary>
    public T Skip<T>(int kind, T unchanged)
    {
        Skip(kind);
        return unchanged;
    }

    private void Skip(int kind)
    {
        if (++depth > MaxDepth)
        {
            throw new InvalidDataException($"more than {MaxDepth} structures in each other");
        }

        switch (kind)
        {
            case True or False:
                break;
            case Byte:
                ReadByte();
                break;
            case Int16 or Integer or Int64:
                Varint();
                break;
            case Double:
                SkipBytes(sizeof(double));
                break;
            case Binary:
                SkipBytes(Varint());
                break;
            case List or Set:
                SkipList();
                break;
            case Struct:
                SkipStruct();
                break;
            default:
                throw new InvalidDataException($"a field of kind {kind}, which page headers do not have");
        }

        depth--;
    }

    private void SkipList()
    {
        int head = ReadByte();
        ulong count = head >> 4 == 0xF ? Varint() : (ulong)(head >> 4);
        for (ulong i = 0; i < count; i++)
        {
            // Each takes a byte at least, so that a count that lies ends with the file.
            int kind = head & 0xF;
            if (kind is True or False)
            {
                ReadByte();
            }
            else
            {
                Skip(kind);
            }
        }
    }

    private void SkipStruct()
    {
        for (int field = 0; NextField(ref field, out int kind); )
        {
            Skip(kind);
        }
    }

    private void SkipBytes(ulong count)
    {
        if (count > MaxSkipped || stream.Position + (long)count > stream.Length)
        {
            throw new InvalidDataException($"{count} bytes in one field of a page's header");
        }

        stream.Seek((long)count, SeekOrigin.Current);
    }

    private long ZigZag()
    {
        ulong value = Varint();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            int next = ReadByte();
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw new InvalidDataException("a number of more than ten bytes");
    }

    private int ReadByte() =>
        stream.ReadByte() is >= 0 and int value ? value : throw new EndOfStreamException("the file ends in a page's header");
}
