using System.Buffers.Binary;
using System.IO.Hashing;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace ElectraPipeline.Training.Shards;

/// <summary>
/// Reads a shard through a memory map. A block is compared with its hash before anything of it is used, so that a flipped bit is
/// found and never trained on. Safe for several threads.
/// </summary>
internal sealed unsafe class ShardReader : IDisposable
{
    private readonly string path;
    private readonly MemoryMappedFile map;
    private readonly MemoryMappedViewAccessor view;
    private readonly byte* bytes;
    private readonly bool[] verified;

    /// <exception cref="PermanentException">It is no shard, cut short, or damaged, or lies in none of the folders.</exception>
    public ShardReader(string path, InputFolders? allowed = null)
    {
        this.path = path;
        using FileStream file = File.Exists(path)
            ? CheckedFile.Open(path, allowed ?? InputFolders.Anywhere)
            : throw new PermanentException($"{path}: no such shard; tokenize again");
        long length = file.Length;
        if (length < ShardHeader.Size)
        {
            throw new PermanentException($"{path} is no shard: it has only {length} bytes; tokenize again");
        }

        map = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        view = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref bytes);
        try
        {
            Header =
                ShardHeader.Parse(new ReadOnlySpan<byte>(bytes, ShardHeader.Size), path).For(length)
                ?? throw new PermanentException(
                    $"{path} has {length:N0} bytes, which its records do not take; it was cut or added to; tokenize again"
                );
            var end = new ReadOnlySpan<byte>(bytes + Header.TableOffset, (int)(length - Header.TableOffset));
            ReadOnlySpan<byte> count = end[^Header.EndSize..^8];
            if (
                XxHash3.HashToUInt64(end[..^8]) != BinaryPrimitives.ReadUInt64LittleEndian(end[^8..])
                || (!count.IsEmpty && BinaryPrimitives.ReadInt64LittleEndian(count) != Header.Count)
            )
            {
                throw new PermanentException(
                    $"{path}: its end (from byte {Header.TableOffset}), which holds the hashes, is damaged, or it was cut or added to; "
                        + "tokenize again"
                );
            }

            verified = new bool[Header.Blocks];
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public ShardHeader Header { get; }

    /// <summary>The hashes of the blocks, eight bytes each.</summary>
    public ReadOnlySpan<byte> Table => new(bytes + Header.TableOffset, 8 * Header.Blocks);

    /// <summary>Copies an example, padded, into <paramref name="ids"/> [SequenceLength].</summary>
    /// <exception cref="PermanentException">Its block is damaged; the message names shard, block and offset.</exception>
    public void Read(int index, Span<int> ids, out int length, out int secondSegmentStart)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Header.Count);
        ArgumentOutOfRangeException.ThrowIfNotEqual(ids.Length, Header.SequenceLength);
        long start = (long)index * Header.Stride;
        Verify((int)(start / ShardHeader.BlockSize));
        Verify((int)((start + Header.Stride - 1) / ShardHeader.BlockSize));
        var record = new ReadOnlySpan<byte>(bytes + ShardHeader.Size + start, Header.Stride);
        length = BinaryPrimitives.ReadUInt16LittleEndian(record);
        secondSegmentStart = BinaryPrimitives.ReadUInt16LittleEndian(record[2..]);
        if (length < 2 || length > Header.SequenceLength || secondSegmentStart < 1 || secondSegmentStart > length)
        {
            throw new PermanentException(
                $"{path}: record {index} (byte {ShardHeader.Size + start}) is impossible: length {length}, second segment at "
                    + $"{secondSegmentStart}; tokenize again"
            );
        }

        if (Header.TokenBytes == 4)
        {
            MemoryMarshal.Cast<byte, int>(record[4..]).CopyTo(ids);
        }
        else
        {
            ShardRecord.Widen(MemoryMarshal.Cast<byte, ushort>(record[4..]), ids);
        }
    }

    public void Dispose()
    {
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        map.Dispose();
    }

    // Two threads may verify the same block at once; both come to the same answer.
    private void Verify(int block)
    {
        if (verified[block])
        {
            return;
        }

        long start = (long)block * ShardHeader.BlockSize;
        int size = (int)Math.Min(ShardHeader.BlockSize, Header.BodyBytes - start);
        ulong hash = XxHash3.HashToUInt64(new ReadOnlySpan<byte>(bytes + ShardHeader.Size + start, size));
        if (hash != BinaryPrimitives.ReadUInt64LittleEndian(Table[(8 * block)..]))
        {
            throw new PermanentException(
                $"{path}: block {block} (bytes {ShardHeader.Size + start} to {ShardHeader.Size + start + size - 1}) is damaged; "
                    + "tokenize again"
            );
        }

        verified[block] = true;
    }
}
