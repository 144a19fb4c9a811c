using System.Buffers.Binary;

namespace ElectraPipeline.Training.Checkpoints.TensorFlow;

/// <summary>Walks the fields of one protocol-buffer message; what the caller does not read is skipped.</summary>
internal ref struct ProtoReader(ReadOnlySpan<byte> message)
{
    private const int NumberWire = 0;
    private const int Fixed64Wire = 1;
    private const int BytesWire = 2;
    private const int Fixed32Wire = 5;
    private readonly ReadOnlySpan<byte> message = message;
    private int at;
    private int wire;
    private bool isRead = true;

    /// <summary>Number of the field at hand.</summary>
    public int Field { get; private set; }

    /// <summary>Goes on to the next field; false at the end.</summary>
    /// <exception cref="InvalidDataException">The message is malformed.</exception>
    public bool Next()
    {
        if (!isRead)
        {
            Skip();
        }

        if (at == message.Length)
        {
            return false;
        }

        ulong key = Varint.Read(message, ref at);
        (Field, wire, isRead) = ((int)(key >> 3), (int)(key & 7), false);
        return true;
    }

    /// <summary>The field as a whole number.</summary>
    public ulong Number()
    {
        Expect(NumberWire);
        return Varint.Read(message, ref at);
    }

    /// <summary>The field as a whole number of at least 0, or -1 where it is negative.</summary>
    public long Size() => Math.Max(-1, (long)Number());

    /// <summary>The field as a fixed 32-bit number.</summary>
    public uint Fixed32()
    {
        Expect(Fixed32Wire);
        return BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
    }

    /// <summary>The field as bytes: a text or a message inside.</summary>
    public ReadOnlySpan<byte> Bytes()
    {
        Expect(BytesWire);
        return Take(Varint.Read(message, ref at));
    }

    private void Expect(int expected)
    {
        isRead = true;
        if (wire != expected)
        {
            throw new InvalidDataException($"has field {Field} in wire format {wire}, not {expected}");
        }
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)(message.Length - at))
        {
            throw new InvalidDataException($"ends inside field {Field}");
        }

        ReadOnlySpan<byte> taken = message.Slice(at, (int)length);
        at += (int)length;
        return taken;
    }

    private void Skip()
    {
        isRead = true;
        switch (wire)
        {
            case NumberWire:
                Varint.Read(message, ref at);
                break;
            case Fixed64Wire:
                Take(8);
                break;
            case BytesWire:
                Take(Varint.Read(message, ref at));
                break;
            case Fixed32Wire:
                Take(4);
                break;
            default:
                throw new InvalidDataException($"has field {Field} in the unknown wire format {wire}");
        }
    }
}
