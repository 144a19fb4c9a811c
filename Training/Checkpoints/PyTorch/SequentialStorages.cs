using System.Buffers.Binary;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Checkpoints.PyTorch;

/// <summary>
/// A file as PyTorch wrote it before 1.6: pickles of a magic number, a version, facts about the machine, the state dict, the keys of the
/// storages; then each storage, its number of elements before it.
/// </summary>
internal sealed class SequentialStorages : IStorageReader
{
    private const long Version = 1001;
    private static readonly byte[] Magic = [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.'];
    private readonly Stream stream;
    private readonly Dictionary<string, long> places = new(StringComparer.Ordinal);

    private SequentialStorages(Stream stream) => this.stream = stream;

    /// <summary>Whether a file starts as this format does.</summary>
    public static bool Matches(ReadOnlySpan<byte> start) => start.StartsWith(Magic);

    /// <summary>Opens the file and reads its state dict; <paramref name="stream"/> is disposed with the storages.</summary>
    /// <exception cref="InvalidDataException">The file is malformed.</exception>
    public static (SequentialStorages Storages, object? StateDict) Open(Stream stream)
    {
        SequentialStorages storages = new(stream);
        stream.Position = Magic.Length;
        PickleReader pickles = new(stream);
        if (pickles.Read() is var version && version is not Version)
        {
            throw new InvalidDataException($"is of version {version}, not {Version}");
        }

        bool isLittle = (pickles.Read() as OrderedDictionary<string, object?>)?.GetValueOrDefault("little_endian") is true;
        if (!isLittle)
        {
            throw new InvalidDataException("does not say that its values are little-endian");
        }

        object? stateDict = pickles.Read();
        List<object?> keys = pickles.Read() as List<object?> ?? throw new InvalidDataException("has no list of its storages");
        storages.Find(keys, PyTorchFile.TensorsOf(stateDict).Values.Select(tensor => tensor.Storage));
        return (storages, stateDict);
    }

    /// <inheritdoc/>
    public Tensor Read(PickledStorage storage)
    {
        stream.Position = places.TryGetValue(storage.Key, out long place)
            ? place
            : throw new InvalidDataException($"has no storage \"{storage.Key}\"");
        return StorageValues.Read(stream, storage, observe: null);
    }

    /// <inheritdoc/>
    public void Dispose() => stream.Dispose();

    private void Find(List<object?> keys, IEnumerable<PickledStorage> storages)
    {
        Dictionary<string, PickledStorage> byKey = storages.DistinctBy(storage => storage.Key).ToDictionary(storage => storage.Key);
        Span<byte> count = stackalloc byte[8];
        foreach (object? key in keys)
        {
            PickledStorage storage =
                key is string text && byKey.TryGetValue(text, out PickledStorage? known)
                    ? known
                    : throw new InvalidDataException($"lists storage {key ?? "nothing"}, which no tensor looks into");
            if (stream.ReadAtLeast(count, 8, throwOnEndOfStream: false) < 8)
            {
                throw new InvalidDataException($"ends before storage \"{storage.Key}\"");
            }

            long elements = BinaryPrimitives.ReadInt64LittleEndian(count);
            Int128 end = stream.Position + ((Int128)elements * storage.Type.ElementSize);
            if (elements != storage.Elements || end > stream.Length)
            {
                throw new InvalidDataException(
                    $"has {elements} elements in storage \"{storage.Key}\" of {storage.Elements}, "
                        + $"and {stream.Length - stream.Position} bytes for them"
                );
            }

            places[storage.Key] = stream.Position;
            stream.Position = (long)end;
        }
    }
}
