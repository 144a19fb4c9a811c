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

        if (Bytes != Header.FileBytes)
        {
            Fault("file", null, 0, 0, $"has {Bytes:N0} bytes where its header says {Header.FileBytes:N0}; it was cut or added to");
            return;
        }

        for (int block = 0; block < Header.Blocks; block++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hashes.Add(XxHash3.HashToUInt64(Read(stream, hash, SizeOf(block))));
        }

        CheckTable(Read(stream, hash, 8 * hashes.Count), BinaryPrimitives.ReadUInt64LittleEndian(Read(stream, hash, 8)));
    }

    /// <summary>
    /// Three things must agree: the blocks, the table of their hashes, and the table's own hash. Two against one tells which is damaged.
    /// </summary>
    private void CheckTable(byte[] table, ulong seal)
    {
        ReadOnlySpan<ulong> stored = MemoryMarshal.Cast<byte, ulong>(table);
        ReadOnlySpan<ulong> computed = CollectionsMarshal.AsSpan(hashes);
        long tableStart = ShardHeader.Size + Header!.BodyBytes;
        bool tableHolds = XxHash3.HashToUInt64(table) == seal;
        bool blocksHold = XxHash3.HashToUInt64(MemoryMarshal.AsBytes(computed)) == seal;
        bool sealAlone = !tableHolds && stored.SequenceEqual(computed);
        if (sealAlone)
        {
            Fault("table", null, tableStart + table.Length, 8, "of hashes: its own hash is damaged");
        }

        for (int block = 0; block < hashes.Count && !sealAlone; block++)
        {
            if (stored[block] == computed[block])
            {
                continue;
            }

            if (blocksHold)
            {
                Fault(
                    "table",
                    null,
                    tableStart + (8 * block),
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
                    tableHolds ? "is damaged" : "or its hash is damaged"
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
