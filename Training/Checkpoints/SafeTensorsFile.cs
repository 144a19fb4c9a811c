using Microsoft.Win32.SafeHandles;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Checkpoints;

/// <summary>Where one tensor lies in a safetensors file. Offsets count from the end of the header, in bytes.</summary>
public sealed record SafeTensorsEntry(string Name, ScalarType Type, IReadOnlyList<long> Shape, long Start, long End);

/// <summary>An open safetensors file whose header has been checked; tensors are read when asked for, from any thread.</summary>
public sealed class SafeTensorsFile : ITensorSource
{
    /// <summary>The header's key for free text.</summary>
    internal const string MetadataKey = "__metadata__";

    private readonly SafeFileHandle handle;
    private readonly long dataStart;
    private readonly Dictionary<string, SafeTensorsEntry> entries;

    private SafeTensorsFile(string path, SafeFileHandle handle, SafeTensorsHeader header)
    {
        Path = path;
        this.handle = handle;
        dataStart = header.DataStart;
        entries = header.Entries.ToDictionary(entry => entry.Name);
        Names = [.. header.Entries.Select(entry => entry.Name)];
        Metadata = header.Metadata;
    }

    /// <summary>The file's path, as given.</summary>
    public string Path { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Files => [Path];

    /// <summary>The tensors' names in the header's order.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The header's free text; empty if it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file and checks its whole header.</summary>
    /// <exception cref="PermanentException">The file is missing or is not what the format says; the message names the fault.</exception>
    public static SafeTensorsFile Open(string path)
    {
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.RandomAccess);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PermanentException($"{path}: there is no such file", missing);
        }

        try
        {
            return new SafeTensorsFile(path, handle, SafeTensorsHeader.Read(path, handle));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Whether the file holds a tensor of that name.</summary>
    public bool Contains(string name) => entries.ContainsKey(name);

    /// <summary>Type, shape and place of a tensor.</summary>
    /// <exception cref="PermanentException">The file holds no such tensor.</exception>
    public SafeTensorsEntry Entry(string name) =>
        entries.TryGetValue(name, out SafeTensorsEntry? entry)
            ? entry
            : throw new PermanentException($"{Path}: there is no tensor \"{name}\" among its {entries.Count}");

    /// <inheritdoc/>
    public StoredTensor Describe(string name) => new(name, SafeTensorsDtype.Of(Entry(name).Type).Name, Entry(name).Shape);

    /// <summary>Reads one tensor onto <paramref name="device"/> (null: the CPU). The caller disposes it.</summary>
    /// <exception cref="PermanentException">The file holds no such tensor, or shrank since it was opened.</exception>
    public Tensor Read(string name, Device? device = null)
    {
        SafeTensorsEntry entry = Entry(name);
        Tensor tensor = empty([.. entry.Shape], dtype: entry.Type);
        ReadInto(entry, tensor);
        if (device is null || device.type == TorchSharp.DeviceType.CPU)
        {
            return tensor;
        }

        using (tensor)
        {
            return tensor.to(device);
        }
    }

    Tensor ITensorSource.Read(string name) => Read(name);

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();

    private void ReadInto(SafeTensorsEntry entry, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        Tensor flat = tensor.view(-1);
        int size = SafeTensorsDtype.Of(entry.Type).ElementSize;
        long offset = dataStart + entry.Start;
        for (long start = 0; start < flat.numel(); start += SafeTensors.ChunkBytes / size)
        {
            Span<byte> chunk = flat.narrow(0, start, Math.Min(SafeTensors.ChunkBytes / size, flat.numel() - start)).bytes;
            while (chunk.Length > 0)
            {
                int read = RandomAccess.Read(handle, chunk, offset);
                if (read == 0)
                {
                    throw new PermanentException(
                        $"{Path}: tensor \"{entry.Name}\" ends at byte {offset}: the file was cut while it " + "was open"
                    );
                }

                offset += read;
                chunk = chunk[read..];
            }
        }
    }
}
