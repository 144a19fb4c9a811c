using System.IO.Compression;
using System.IO.Hashing;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Checkpoints.PyTorch;

/// <summary>
/// A file as PyTorch writes it since 1.6: a zip with <c>NAME/data.pkl</c> and a file <c>NAME/data/KEY</c> for each storage.
/// </summary>
internal sealed class ZippedStorages : IStorageReader
{
    private const string PickleName = "/data.pkl";
    private const long LargestPickle = 1 << 28;
    private readonly ZipArchive archive;
    private readonly string folder;

    /// <summary>Opens the zip; <paramref name="stream"/> is disposed with it.</summary>
    /// <exception cref="InvalidDataException">It is no zip of PyTorch's.</exception>
    public ZippedStorages(Stream stream)
    {
        archive = new ZipArchive(stream, ZipArchiveMode.Read);
        ZipArchiveEntry[] pickles = [.. archive.Entries.Where(entry => entry.FullName.EndsWith(PickleName, StringComparison.Ordinal))];
        folder = pickles is [{ } only]
            ? only.FullName[..^PickleName.Length]
            : throw new InvalidDataException($"is a zip with {pickles.Length} files \"data.pkl\", not the one of a PyTorch file");
        if (archive.GetEntry(folder + "/constants.pkl") is not null)
        {
            throw new InvalidDataException("is a TorchScript program, not a state dict");
        }

        if (archive.GetEntry(folder + "/byteorder") is { } order && Whole(order).AsSpan().IndexOf("little"u8) < 0)
        {
            throw new InvalidDataException("has values in big-endian byte order");
        }
    }

    /// <summary>The pickle.</summary>
    public byte[] Pickle() => Whole(archive.GetEntry(folder + PickleName)!);

    /// <inheritdoc/>
    public Tensor Read(PickledStorage storage)
    {
        string name = $"{folder}/data/{storage.Key}";
        ZipArchiveEntry entry = archive.GetEntry(name) ?? throw new InvalidDataException($"has no file \"{name}\" for a storage");
        if (entry.Length != (Int128)storage.Elements * storage.Type.ElementSize)
        {
            throw new InvalidDataException(
                $"has {entry.Length} bytes in \"{name}\" for {storage.Elements} elements of {storage.Type.Name}"
            );
        }

        using Stream values = entry.Open();
        Crc32 crc = new();
        Tensor read = StorageValues.Read(values, storage, crc.Append);
        if (crc.GetCurrentHashAsUInt32() == entry.Crc32)
        {
            return read;
        }

        read.Dispose();
        throw new InvalidDataException(
            $"has checksum {crc.GetCurrentHashAsUInt32():x8} for \"{name}\", the zip says {entry.Crc32:x8}: damaged"
        );
    }

    /// <inheritdoc/>
    public void Dispose() => archive.Dispose();

    private static byte[] Whole(ZipArchiveEntry entry)
    {
        if (entry.Length > LargestPickle)
        {
            throw new InvalidDataException($"has {entry.Length} bytes in \"{entry.FullName}\", more than {LargestPickle}");
        }

        byte[] bytes = new byte[entry.Length];
        using Stream stream = entry.Open();
        stream.ReadExactly(bytes);
        return Crc32.HashToUInt32(bytes) == entry.Crc32
            ? bytes
            : throw new InvalidDataException($"has other bytes in \"{entry.FullName}\" than its checksum is of: damaged");
    }
}
