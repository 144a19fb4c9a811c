using static TorchSharp.torch;

namespace ElectraPipeline.Training.Checkpoints.PyTorch;

/// <summary>Moves the raw values of a storage from a stream into a tensor.</summary>
internal static class StorageValues
{
    internal delegate void Observer(ReadOnlySpan<byte> bytes);

    /// <summary>Reads [elements]; <paramref name="observe"/> sees every byte.</summary>
    /// <exception cref="InvalidDataException">The stream ends before.</exception>
    public static Tensor Read(Stream stream, PickledStorage storage, Observer? observe)
    {
        Tensor values = empty([storage.Elements], dtype: storage.Type.Type);
        long step = SafeTensors.ChunkBytes / storage.Type.ElementSize;
        for (long start = 0; start < storage.Elements; start += step)
        {
            using Tensor part = values.narrow(0, start, Math.Min(step, storage.Elements - start));
            Span<byte> bytes = part.bytes;
            if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            {
                values.Dispose();
                throw new InvalidDataException($"ends inside storage \"{storage.Key}\"");
            }

            observe?.Invoke(bytes);
        }

        return values;
    }
}
