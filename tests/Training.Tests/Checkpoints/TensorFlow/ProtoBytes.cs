namespace ElectraPipeline.Training.Tests.Checkpoints.TensorFlow;

/// <summary>Writes protocol-buffer messages.</summary>
internal sealed class ProtoBytes
{
    private readonly MemoryStream stream = new();

    public byte[] ToArray() => stream.ToArray();

    public ProtoBytes Number(int field, ulong value)
    {
        WriteVarint(stream, (ulong)field << 3);
        WriteVarint(stream, value);
        return this;
    }

    public ProtoBytes Fixed32(int field, uint value)
    {
        WriteVarint(stream, ((ulong)field << 3) | 5);
        stream.Write(BitConverter.GetBytes(value));
        return this;
    }

    public ProtoBytes Bytes(int field, ReadOnlySpan<byte> value)
    {
        WriteVarint(stream, ((ulong)field << 3) | 2);
        WriteVarint(stream, (ulong)value.Length);
        stream.Write(value);
        return this;
    }

    public static void WriteVarint(Stream stream, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            stream.WriteByte((byte)(value | 0x80));
        }

        stream.WriteByte((byte)value);
    }
}
