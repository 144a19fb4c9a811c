using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace ElectraPipeline.Training.Shards;

/// <summary>Writes examples to a shard, which has its name only once it is whole and on the disk.</summary>
internal sealed class ShardWriter : IDisposable
{
    private readonly string path;
    private readonly PendingFile file;
    private readonly ShardHeader header;
    private readonly byte[] record;
    private readonly IncrementalHash digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly XxHash3 block = new();
    private readonly List<ulong> hashes = [];
    private int blockBytes;
    private int count;

    /// <param name="path">The final name.</param>
    /// <param name="header">What it begins with.</param>
    public ShardWriter(string path, ShardHeader header)
    {
        this.path = path;
        this.header = header;
        record = new byte[header.Stride];
        file = new PendingFile(path);
        Write(header.ToBytes());
    }

    /// <summary>What the shard begins with.</summary>
    public ShardHeader Header => header;

    /// <summary>Tokens in the examples so far, without [CLS], [SEP] and padding.</summary>
    public long TextTokens { get; private set; }

    /// <summary>Adds an example of at most the sequence length; see <see cref="ExampleReceiver"/>.</summary>
    public void Add(ReadOnlySpan<int> ids, int secondSegmentStart)
    {
        ShardRecord.Write(header, ids, secondSegmentStart, record);
        AddRecords(record, ShardRecord.TextTokens(ids, secondSegmentStart));
    }

    /// <summary>Adds records as <see cref="ShardRecord.Write"/> makes them, with the text tokens in all of them.</summary>
    public void AddRecords(ReadOnlySpan<byte> records, long textTokens)
    {
        Append(records);
        count = checked(count + (records.Length / header.Stride));
        TextTokens += textTokens;
    }

    /// <summary>Examples added.</summary>
    public int Count => count;

    /// <summary>Finishes the file and gives it its name; returns what a manifest says of it.</summary>
    public ShardFile Commit()
    {
        if (blockBytes > 0)
        {
            EndBlock();
        }

        Write(header.EndOf(CollectionsMarshal.AsSpan(hashes), count));
        long bytes = file.Stream.Length;
        file.Commit();
        return new ShardFile(Path.GetFileName(path), bytes, Convert.ToHexStringLower(digest.GetHashAndReset()));
    }

    public void Dispose()
    {
        digest.Dispose();
        file.Dispose();
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        file.Stream.Write(bytes);
        digest.AppendData(bytes);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        Write(bytes);
        while (bytes.Length > 0)
        {
            int part = Math.Min(bytes.Length, ShardHeader.BlockSize - blockBytes);
            block.Append(bytes[..part]);
            blockBytes += part;
            bytes = bytes[part..];
            if (blockBytes == ShardHeader.BlockSize)
            {
                EndBlock();
            }
        }
    }

    private void EndBlock()
    {
        hashes.Add(block.GetCurrentHashAsUInt64());
        block.Reset();
        blockBytes = 0;
    }
}
