using System.Buffers.Binary;
using System.IO.Hashing;

namespace ElectraPipeline.Training.Shards;

/// <summary>What a shard's header says. Little-endian throughout.</summary>
/// <remarks>
/// File: header (128 bytes), records at a fixed stride, one XxHash3 for each block of 1 MiB of records, one XxHash3 over those hashes.
/// Record: length (uint16), second segment's start (uint16, the length where there is none), token ids padded to the sequence length.
/// </remarks>
/// <param name="TokenBytes">2, or 4 for vocabularies above 65,536 tokens.</param>
/// <param name="SequenceLength">Tokens a record holds, padding included.</param>
/// <param name="Count">Records.</param>
/// <param name="PadId">Id of the padding.</param>
/// <param name="Vocabulary">SHA-256 of the vocabulary's file, 32 bytes.</param>
/// <param name="Options">SHA-256 of the options that made the examples, 32 bytes.</param>
internal sealed record ShardHeader(int TokenBytes, int SequenceLength, int Count, int PadId, byte[] Vocabulary, byte[] Options)
{
    public const int Size = 128;
    public const int BlockSize = 1 << 20;
    private const int Version = 1;
    private const int HashOffset = Size - 8;

    private static ReadOnlySpan<byte> Magic => "ELECTRSH"u8;

    /// <summary>Bytes from one record to the next.</summary>
    public int Stride => 4 + (SequenceLength * TokenBytes);

    /// <summary>Bytes of all records.</summary>
    public long BodyBytes => (long)Stride * Count;

    /// <summary>Blocks of records, the last one maybe shorter.</summary>
    public int Blocks => checked((int)((BodyBytes + BlockSize - 1) / BlockSize));

    /// <summary>Bytes of the whole file.</summary>
    public long FileBytes => Size + BodyBytes + (8L * Blocks) + 8;

    /// <summary>Byte of the file where a record begins.</summary>
    public long OffsetOf(int record) => Size + ((long)record * Stride);

    public byte[] ToBytes()
    {
        byte[] bytes = new byte[Size];
        Magic.CopyTo(bytes);
        int[] fields = [Version, TokenBytes, SequenceLength, Count, PadId];
        for (int i = 0; i < fields.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8 + (4 * i)), fields[i]);
        }

        Vocabulary.CopyTo(bytes, 28);
        Options.CopyTo(bytes, 60);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(HashOffset), XxHash3.HashToUInt64(bytes.AsSpan(0, HashOffset)));
        return bytes;
    }

    /// <exception cref="PermanentException">The bytes are no header of this version, or damaged.</exception>
    public static ShardHeader Parse(ReadOnlySpan<byte> bytes, string path)
    {
        if (bytes.Length < Size || !bytes[..8].SequenceEqual(Magic))
        {
            throw new PermanentException(
                $"{path} is no shard: it does not begin with '{System.Text.Encoding.ASCII.GetString(Magic)}'; tokenize again"
            );
        }

        if (XxHash3.HashToUInt64(bytes[..HashOffset]) != BinaryPrimitives.ReadUInt64LittleEndian(bytes[HashOffset..]))
        {
            throw new PermanentException($"{path}: the header (bytes 0 to {Size - 1}) is damaged; tokenize again");
        }

        int version = Field(bytes, 0);
        if (version != Version)
        {
            throw new PermanentException($"{path} is a shard of version {version}; this program reads version {Version}; tokenize again");
        }

        var header = new ShardHeader(
            Field(bytes, 1),
            Field(bytes, 2),
            Field(bytes, 3),
            Field(bytes, 4),
            bytes[28..60].ToArray(),
            bytes[60..92].ToArray()
        );
        return header.TokenBytes is 2 or 4 && header.SequenceLength is > 0 and <= ushort.MaxValue && header.Count >= 0
            ? header
            : throw new PermanentException($"{path}: the header makes no sense: {header}; tokenize again");
    }

    private static int Field(ReadOnlySpan<byte> bytes, int index) => BinaryPrimitives.ReadInt32LittleEndian(bytes[(8 + (4 * index))..]);
}
