using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Shards;

/// <summary>
/// Reads a shard from end to end, once, and finds all of its damage: unlike the reader, which stops at the first, as it must not give
/// out an example of a damaged shard.
/// </summary>
internal sealed class ShardFileCheck(string path)
{
    private readonly List<ShardFault> faults = [];
    private readonly List<ulong> hashes = [];

    /// <summary>The header; null if it is damaged.</summary>
    public ShardHeader? Header { get; private set; }

    /// <summary>Bytes of the file.</summary>
    public long Bytes { get; private set; }

    /// <summary>SHA-256 of the file, lower-case hex.</summary>
    public string Sha256 { get; private set; } = "";

    /// <summary>What is damaged, by place.</summary>
    public IReadOnlyList<ShardFault> Faults => faults;

    /// <summary>Checks the file; <paramref name="vocabulary"/> is the one beside it, null if there is none.</summary>
    public void Run(Vocabulary? vocabulary, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (FileStream stream = File.OpenRead(path))
        {
            Bytes = stream.Length;
            Check(stream, hash, cancellationToken);
            Drain(stream, hash);
        }

        Sha256 = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (faults.Count > 0)
        {
            return;
        }

        if (vocabulary is not null && vocabulary.Digest != Convert.ToHexStringLower(Header!.Vocabulary))
        {
            Fault(
                "file",
                null,
                0,
                0,
                $"was made with the vocabulary {Convert.ToHexStringLower(Header.Vocabulary)}; the one beside it is {vocabulary.Digest}"
            );
            return;
        }

        CheckRecords(vocabulary?.Count ?? int.MaxValue, cancellationToken);
    }

    private void Check(FileStream stream, IncrementalHash hash, CancellationToken cancellationToken)
    {
        byte[] head = Read(stream, hash, (int)Math.Min(ShardHeader.Size, Bytes));
        try
        {
            Header = ShardHeader.Parse(head, path);
        }
        catch (PermanentException)
        {
            Fault("header", null, 0, head.Length, "is damaged, or this is no shard; nothing else of it can be checked");
            return;
        }

        if (Header.For(Bytes) is not { } whole)
        {
            Fault("file", null, 0, 0, $"has {Bytes:N0} bytes, which its records do not take; it was cut or added to");
            return;
        }

        Header = whole;
        for (int block = 0; block < Header.Blocks; block++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hashes.Add(XxHash3.HashToUInt64(Read(stream, hash, SizeOf(block))));
        }

        CheckEnd(Read(stream, hash, (8 * hashes.Count) + Header.EndSize));
    }

    /// <summary>
    /// Blocks and the table of their hashes, the number of records and the file's length, and the hash of both must agree: what is
    /// against the others is damaged.
    /// </summary>
    private void CheckEnd(byte[] end)
    {
        byte[] right = Header!.EndOf(CollectionsMarshal.AsSpan(hashes), Header.Count);
        Span<byte> table = end.AsSpan(0, 8 * hashes.Count),
            count = end.AsSpan(table.Length, Header.EndSize - 8),
            seal = end.AsSpan(end.Length - 8);
        bool endHolds = XxHash3.HashToUInt64(end.AsSpan(0, end.Length - 8)) == BinaryPrimitives.ReadUInt64LittleEndian(seal);
        bool sealIsRight = seal.SequenceEqual(right.AsSpan(right.Length - 8));
        bool countIsRight = count.SequenceEqual(right.AsSpan(table.Length, count.Length));
        if (!countIsRight && !sealIsRight)
        {
            // Another length than it was written with: then nothing is where it should be.
            Fault("file", null, 0, 0, $"has {Bytes:N0} bytes, and its end says otherwise; it was cut or added to");
            return;
        }

        if (!countIsRight)
        {
            Fault("table", null, Header.TableOffset + table.Length, 8, "of hashes: the number of records behind it is damaged");
        }

        if (!endHolds && !sealIsRight && table.SequenceEqual(right.AsSpan(0, table.Length)))
        {
            Fault("table", null, Bytes - 8, 8, "of hashes: its own hash is damaged");
            return;
        }

        for (int block = 0; block < hashes.Count; block++)
        {
            if (table.Slice(8 * block, 8).SequenceEqual(right.AsSpan(8 * block, 8)))
            {
                continue;
            }

            if (sealIsRight)
            {
                Fault(
                    "table",
                    null,
                    Header.TableOffset + (8 * block),
                    8,
                    $"of hashes: the hash of block {block} is damaged; the block itself is whole"
                );
            }
            else
            {
                Fault(
                    "block",
                    block,
                    ShardHeader.Size + ((long)block * ShardHeader.BlockSize),
                    SizeOf(block),
                    endHolds ? "is damaged" : "or its hash is damaged"
                );
            }
        }
    }

    /// <summary>What no hash can tell: values that were written as they are but make no sense.</summary>
    private void CheckRecords(int tokens, CancellationToken cancellationToken)
    {
        using var reader = new ShardReader(path);
        int[] ids = new int[Header!.SequenceLength];
        for (int record = 0; record < Header.Count; record++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (ProblemOf(reader, record, ids, tokens) is { } problem)
            {
                long offset = Header.OffsetOf(record);
                Fault(
                    "block",
                    (int)((offset - ShardHeader.Size) / ShardHeader.BlockSize),
                    offset,
                    Header.Stride,
                    $"record {record}: {problem}"
                );
            }
        }
    }

    private static string? ProblemOf(ShardReader reader, int record, int[] ids, int tokens)
    {
        int length;
        try
        {
            reader.Read(record, ids, out length, out _);
        }
        catch (PermanentException)
        {
            return "lengths that cannot be";
        }

        return ids.AsSpan(length).ContainsAnyExcept(reader.Header.PadId) ? $"something else than padding behind its {length} tokens"
            : ids.AsSpan().ContainsAnyExceptInRange(0, tokens - 1) ? $"an id outside the vocabulary of {tokens} tokens"
            : null;
    }

    private int SizeOf(int block) => (int)Math.Min(ShardHeader.BlockSize, Header!.BodyBytes - ((long)block * ShardHeader.BlockSize));

    private void Fault(string region, int? block, long offset, long length, string problem) =>
        faults.Add(new ShardFault(path, region, block, offset, length, problem));

    private static byte[] Read(FileStream stream, IncrementalHash hash, int length)
    {
        byte[] bytes = new byte[length];
        stream.ReadExactly(bytes);
        hash.AppendData(bytes);
        return bytes;
    }

    private static void Drain(FileStream stream, IncrementalHash hash)
    {
        byte[] buffer = new byte[1 << 16];
        for (int read; (read = stream.Read(buffer)) > 0; )
        {
            hash.AppendData(buffer, 0, read);
        }
    }
}
