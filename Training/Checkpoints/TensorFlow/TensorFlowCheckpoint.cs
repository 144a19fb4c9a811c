using System.Text;
using Microsoft.Win32.SafeHandles;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Checkpoints.TensorFlow;

/// <summary>
/// A checkpoint in TensorFlow's second format: <c>PREFIX.index</c> says where each tensor lies in <c>PREFIX.data-00000-of-00001</c> and
/// its like (tensorflow/core/util/tensor_bundle). The index is checked when it is opened, each tensor's values when they are read.
/// </summary>
internal sealed class TensorFlowCheckpoint : ITensorSource
{
    private const string IndexSuffix = ".index";
    private readonly Dictionary<string, BundleEntry> entries = new(StringComparer.Ordinal);
    private readonly List<string> names = [];
    private readonly SafeFileHandle?[] shards;

    private TensorFlowCheckpoint(string prefix)
    {
        Path = prefix;
        IReadOnlyList<TableEntry> table = SortedTable.Read(prefix + IndexSuffix);
        BundleHeader header = table is [{ Key.Length: 0 } first, ..]
            ? Parse("the header", first.Value.Span, BundleHeader.Parse)
            : throw Fault("has no header under its first, empty key");
        if (!header.IsLittleEndian || header.Shards is < 1 or > 99_999)
        {
            string order = header.IsLittleEndian ? "little" : "big";
            throw Fault($"says {header.Shards} data files, {order}-endian; read are 1 to 99999, little-endian");
        }

        shards = new SafeFileHandle?[header.Shards];
        foreach (TableEntry item in table.Skip(1).Where(item => item.Key[0] != 0)) // keys of parts of partitioned variables start with 0
        {
            string name = Encoding.UTF8.GetString(item.Key);
            entries.Add(name, Parse($"tensor \"{name}\"", item.Value.Span, BundleEntry.Parse));
            names.Add(name);
        }
    }

    private delegate T Parser<T>(ReadOnlySpan<byte> message);

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Files => [Path + IndexSuffix, .. Enumerable.Range(0, shards.Length).Select(ShardPath)];

    /// <inheritdoc/>
    public IReadOnlyList<string> Names => names;

    /// <summary>
    /// The prefix that a path means: itself, with ".index" or without, or of the only checkpoint in a folder. Null: there is none.
    /// </summary>
    public static string? FindPrefix(string path)
    {
        string prefix = path.EndsWith(IndexSuffix, StringComparison.Ordinal) ? path[..^IndexSuffix.Length] : path;
        if (File.Exists(prefix + IndexSuffix))
        {
            return prefix;
        }

        string[] inside = Directory.Exists(path) ? Directory.GetFiles(path, "*" + IndexSuffix) : [];
        return inside.Length switch
        {
            0 => null,
            1 => inside[0][..^IndexSuffix.Length],
            _ => throw new PermanentException(
                $"{path}: there are {inside.Length} checkpoints; name one of {string.Join(", ", inside.Order())}"
            ),
        };
    }

    /// <summary>Opens a checkpoint by its prefix, the path without ".index", and checks the whole index.</summary>
    /// <exception cref="PermanentException">The index is missing or damaged, or a tensor lies outside its data file.</exception>
    public static TensorFlowCheckpoint Open(string prefix)
    {
        TensorFlowCheckpoint checkpoint = new(prefix);
        try
        {
            foreach ((string name, BundleEntry entry) in checkpoint.entries)
            {
                checkpoint.CheckPlace(name, entry);
            }

            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool Contains(string name) => entries.ContainsKey(name);

    /// <inheritdoc/>
    public StoredTensor Describe(string name) => new(name, TensorFlowType.Of(EntryOf(name).Type).Name, EntryOf(name).Shape);

    /// <inheritdoc/>
    public Tensor Read(string name)
    {
        BundleEntry entry = EntryOf(name);
        TensorFlowType type = TensorFlowType.Of(entry.Type);
        if (type.Type is not { } elements || entry.Slices > 0)
        {
            string what = entry.Slices > 0 ? $"is stored in {entry.Slices} parts (a partitioned variable)" : $"has type {type.Name}";
            throw Fault($"tensor \"{name}\" {what}, which is not read as numbers");
        }

        Tensor tensor = empty([.. entry.Shape], dtype: elements);
        try
        {
            Fill(tensor, name, entry, type.ElementSize);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Array.ForEach(shards, shard => shard?.Dispose());

    private void Fill(Tensor tensor, string name, BundleEntry entry, int elementSize)
    {
        using var scope = NewDisposeScope();
        Tensor flat = tensor.view(-1);
        Crc32C crc = default;
        long step = SafeTensors.ChunkBytes / elementSize;
        for (long start = 0; start < flat.numel(); start += step)
        {
            Span<byte> chunk = flat.narrow(0, start, Math.Min(step, flat.numel() - start)).bytes;
            ReadExactly(name, entry.Shard, entry.Offset + (start * elementSize), chunk);
            crc.Append(chunk);
        }

        if (crc.Masked != entry.Checksum)
        {
            throw new PermanentException(
                $"{ShardPath((int)entry.Shard)}, byte {entry.Offset}: tensor \"{name}\" has checksum {crc.Masked:x8}, "
                    + $"the index says {entry.Checksum:x8}: damaged"
            );
        }
    }

    private void ReadExactly(string name, long shard, long offset, Span<byte> target)
    {
        while (target.Length > 0)
        {
            int read = RandomAccess.Read(Shard(shard), target, offset);
            if (read == 0)
            {
                throw new PermanentException(
                    $"{ShardPath((int)shard)}: tensor \"{name}\" ends at byte {offset}: the file was cut while open"
                );
            }

            offset += read;
            target = target[read..];
        }
    }

    private void CheckPlace(string name, BundleEntry entry)
    {
        if (entry.Slices > 0)
        {
            return;
        }

        if (entry.Shard < 0 || entry.Shard >= shards.Length)
        {
            throw Fault($"tensor \"{name}\" lies in data file {entry.Shard} of {shards.Length}");
        }

        long fileBytes = RandomAccess.GetLength(Shard(entry.Shard));
        if (entry.Offset < 0 || entry.Bytes < 0 || entry.Offset > fileBytes - entry.Bytes)
        {
            throw new PermanentException(
                $"{ShardPath((int)entry.Shard)}: tensor \"{name}\" has {entry.Bytes} bytes at byte {entry.Offset}, "
                    + $"the file has {fileBytes}: truncated?"
            );
        }

        TensorFlowType type = TensorFlowType.Of(entry.Type);
        if (type.Type is not null && BytesOf(entry.Shape, type.ElementSize) != entry.Bytes)
        {
            throw Fault($"tensor \"{name}\" is [{string.Join(", ", entry.Shape)}] of {type.Name} in {entry.Bytes} bytes");
        }
    }

    private static Int128 BytesOf(IReadOnlyList<long> shape, int elementSize) =>
        shape.Aggregate((Int128)elementSize, (product, size) => product > long.MaxValue ? product : product * size);

    private SafeFileHandle Shard(long number)
    {
        string path = ShardPath((int)number);
        try
        {
            return shards[number] ??= File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.RandomAccess);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PermanentException($"{path}: there is no such file; {Path}{IndexSuffix} names it", missing);
        }
    }

    private string ShardPath(int number) => $"{Path}.data-{number:D5}-of-{shards.Length:D5}";

    private BundleEntry EntryOf(string name) =>
        entries.TryGetValue(name, out BundleEntry? entry) ? entry : throw Fault($"there is no tensor \"{name}\" among its {entries.Count}");

    private T Parse<T>(string what, ReadOnlySpan<byte> message, Parser<T> parse)
    {
        try
        {
            return parse(message);
        }
        catch (InvalidDataException fault)
        {
            throw Fault($"{what} {fault.Message}");
        }
    }

    private PermanentException Fault(string what) => new($"{Path}{IndexSuffix}: {what}");
}
