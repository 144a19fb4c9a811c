using System.Text.Encodings.Web;
using System.Text.Json;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Checkpoints;

/// <summary>
/// Named tensors in one file of the safetensors format: 8 bytes of header length, a JSON header, raw little-endian values
/// (https://github.com/huggingface/safetensors).
/// </summary>
public static class SafeTensors
{
    /// <summary>Bytes handed to the operating system at once; a span cannot hold more than 2 GiB.</summary>
    internal const int ChunkBytes = 1 << 26;

    /// <summary>
    /// Writes the tensors, whole or not at all (<see cref="DurableFile"/>). Tensors on a device are copied one at a time, so that little
    /// more than the largest is held. Wider element types come first, so that every tensor lies on a multiple of its element's size;
    /// otherwise the order is kept.
    /// </summary>
    /// <param name="path">The file; replaced if it is there.</param>
    /// <param name="tensors">Names and tensors of any shape, strides and device.</param>
    /// <param name="metadata">Free text, for example ("format", "pt"), which Hugging Face's readers ask for.</param>
    /// <exception cref="ArgumentException">A name appears twice, or an element type has no name in the format.</exception>
    public static void Write(
        string path,
        IReadOnlyList<(string Name, Tensor Tensor)> tensors,
        IReadOnlyDictionary<string, string>? metadata = null
    )
    {
        (string Name, Tensor Tensor)[] ordered = [.. tensors.OrderByDescending(item => SafeTensorsDtype.Of(item.Tensor.dtype).ElementSize)];
        byte[] header = Header(ordered, metadata);
        DurableFile.Write(
            path,
            stream =>
            {
                stream.Write(BitConverter.GetBytes((ulong)header.Length));
                stream.Write(header);
                foreach ((_, Tensor tensor) in ordered)
                {
                    WriteValues(stream, tensor);
                }
            }
        );
    }

    /// <summary>Reads every tensor of a file onto <paramref name="device"/> (null: the CPU). The caller disposes them.</summary>
    /// <exception cref="PermanentException">The file is not what the format says; the message names file, tensor and fault.</exception>
    public static Dictionary<string, Tensor> Read(string path, Device? device = null)
    {
        using SafeTensorsFile file = SafeTensorsFile.Open(path);
        return file.Names.ToDictionary(name => name, name => file.Read(name, device));
    }

    private static byte[] Header((string Name, Tensor Tensor)[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                WriteMetadata(json, metadata);
            }

            WriteEntries(json, tensors);
            json.WriteEndObject();
        }

        while (buffer.Length % 8 != 0)
        {
            buffer.WriteByte((byte)' ');
        }

        return buffer.ToArray();
    }

    private static void WriteMetadata(Utf8JsonWriter json, IReadOnlyDictionary<string, string> metadata)
    {
        json.WriteStartObject(SafeTensorsFile.MetadataKey);
        foreach ((string key, string value) in metadata)
        {
            json.WriteString(key, value);
        }

        json.WriteEndObject();
    }

    private static void WriteEntries(Utf8JsonWriter json, (string Name, Tensor Tensor)[] tensors)
    {
        HashSet<string> names = [SafeTensorsFile.MetadataKey];
        long offset = 0;
        foreach ((string name, Tensor tensor) in tensors)
        {
            if (!names.Add(name))
            {
                throw new ArgumentException($"the tensor name \"{name}\" appears twice or is reserved", nameof(tensors));
            }

            SafeTensorsDtype dtype = SafeTensorsDtype.Of(tensor.dtype);
            json.WriteStartObject(name);
            json.WriteString("dtype", dtype.Name);
            json.WriteStartArray("shape");
            foreach (long size in tensor.shape)
            {
                json.WriteNumberValue(size);
            }

            json.WriteEndArray();
            json.WriteStartArray("data_offsets");
            json.WriteNumberValue(offset);
            offset += tensor.numel() * dtype.ElementSize;
            json.WriteNumberValue(offset);
            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    private static void WriteValues(Stream stream, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        Tensor flat = tensor.detach().cpu().contiguous().view(-1);
        int size = SafeTensorsDtype.Of(tensor.dtype).ElementSize;
        for (long start = 0; start < flat.numel(); start += ChunkBytes / size)
        {
            stream.Write(flat.narrow(0, start, Math.Min(ChunkBytes / size, flat.numel() - start)).bytes);
        }
    }
}
