using System.Buffers.Binary;
using System.IO.Hashing;

namespace ElectraPipeline.Training.Shards;

/// <summary>What a shard's two ends say. Little-endian throughout.</summary>
/// <remarks>
/// File: header (128 bytes), records at a fixed stride, one XxHash3 for each block of 1 MiB of records, their number (int64), one XxHash3
/// over those hashes and that number. It is written, and hashed, from front to back: nothing in front depends on what follows. Version 1,
/// which is read only, has the number in the header, behind the sequence length, and not at the end.
/// Record: length (uint16), second segment's start (uint16, the length where there is none), token ids padded to the sequence length.
/// </remarks>
/// <param name="TokenBytes">2, or 4 for vocabularies above 65,536 tokens.</param>
/// <param name="SequenceLength">Tokens a record holds, padding included.</param>
/// <param name="PadId">Id of the padding.</param>
/// <param name="Vocabulary">SHA-256 of the vocabulary's file, 32 bytes.</param>
/// <param name="Options">SHA-256 of the options that made the examples, 32 bytes.</param>
internal sealed record ShardHeader(int TokenBytes, int SequenceLength, int PadId, byte[] Vocabulary, byte[] Options)
{
    public const int Size = 128;
    public const int BlockSize = 1 << 20;
    private const int CurrentVersion = 2;
    private const int HashOffset = Size - 8;

    private static ReadOnlySpan<byte> Magic => "ELECTRSH"u8;

    /// <summary>Records.</summary>
    public int Count { get; private init; }

    /// <summary>Bytes behind the table: the number of records, where it stands there, and the last hash.</summary>
    public int EndSize => HasCountInFront ? 8 : 16;

    private bool HasCountInFront { get; init; }

    /// <summary>Bytes from one record to the next.</summary>
    public int Stride => 4 + (SequenceLength * TokenBytes);

    /// <summary>Bytes of all records.</summary>
    public long BodyBytes => (long)Stride * Count;

    /// <summary>Blocks of records, the last one maybe shorter.</summary>
    public int Blocks => checked((int)((BodyBytes + BlockSize - 1) / BlockSize));

    /// <summary>Byte of the file where the table of hashes begins.</summary>
    public long TableOffset => Size + BodyBytes;

    /// <summary>Bytes of the whole file.</summary>
    public long FileBytes => TableOffset + (8L * Blocks) + EndSize;

    /// <summary>Byte of the file where a record begins.</summary>
    public long OffsetOf(int record) => Size + ((long)record * Stride);

    public byte[] ToBytes()
    {
        byte[] bytes = new byte[Size];
        Magic.CopyTo(bytes);
        int[] fields = [CurrentVersion, TokenBytes, SequenceLength, PadId];
        for (int i = 0; i < fields.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8 + (4 * i)), fields[i]);
        }

        Vocabulary.CopyTo(bytes, 24);
        Options.CopyTo(bytes, 56);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(HashOffset), XxHash3.HashToUInt64(bytes.AsSpan(0, HashOffset)));
        return bytes;
    }

    /// <summary>The end of a file: what follows the records.</summary>
    /// <param name="hashes">Those of the blocks.</param>
    /// <param name="count">Records.</param>
    public byte[] EndOf(ReadOnlySpan<ulong> hashes, int count)
    {
        byte[] bytes = new byte[(8 * hashes.Length) + EndSize];
        for (int i = 0; i < hashes.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8 * i), hashes[i]);
        }

        if (!HasCountInFront)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8 * hashes.Length), count);
        }

        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(bytes.Length - 8), XxHash3.HashToUInt64(bytes.AsSpan(0, bytes.Length - 8)));
        return bytes;
    }

    /// <summary>The header at the front of a file; of the records it knows no number before <see cref="For"/>.</summary>
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
        if (version is not (1 or CurrentVersion))
        {
            throw new PermanentException(
                $"{path} is a shard of version {version}; this program reads versions 1 and {CurrentVersion}; tokenize again"
            );
        }

        int counts = version == 1 ? 1 : 0;
        int digests = 24 + (4 * counts);
        var header = new ShardHeader(
            Field(bytes, 1),
            Field(bytes, 2),
            Field(bytes, 3 + counts),
            bytes.Slice(digests, 32).ToArray(),
            bytes.Slice(digests + 32, 32).ToArray()
        )
        {
            HasCountInFront = version == 1,
            Count = version == 1 ? Field(bytes, 3) : 0,
        };
        return header.TokenBytes is 2 or 4 && header.SequenceLength is > 0 and <= ushort.MaxValue && header.Count >= 0
            ? header
            : throw new PermanentException($"{path}: the header makes no sense: {header}; tokenize again");
    }

    /// <summary>The header with the number of records that a file of so many bytes has room for; null: no number fits.</summary>
    public ShardHeader? For(long fileBytes)
    {
        if (HasCountInFront)
        {
            return FileBytes == fileBytes ? this : null;
        }

        // Each block but the last is full, so that the number of blocks follows from the bytes.
        long rest = fileBytes - Size - EndSize;
        long blocks = (rest + BlockSize + 7) / (BlockSize + 8);
        long count = (rest - (8 * blocks)) / Stride;
        ShardHeader fitting = this with { Count = (int)Math.Clamp(count, 0, int.MaxValue) };
        return fitting.FileBytes == fileBytes ? fitting : null;
    }

    private static int Field(ReadOnlySpan<byte> bytes, int index) => BinaryPrimitives.ReadInt32LittleEndian(bytes[(8 + (4 * index))..]);
}
