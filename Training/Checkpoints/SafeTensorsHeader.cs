using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace ElectraPipeline.Training.Checkpoints;

/// <summary>The header of a safetensors file, every claim of which has been checked against the file.</summary>
internal sealed class SafeTensorsHeader
{
    private const long MaxHeaderBytes = 100_000_000; // the format's own limit
    private readonly string path;

    private SafeTensorsHeader(string path) => this.path = path;

    /// <summary>Entries in the header's order.</summary>
    public List<SafeTensorsEntry> Entries { get; } = [];

    /// <summary>Free text.</summary>
    public Dictionary<string, string> Metadata { get; } = [];

    /// <summary>Byte of the file at which tensor values start.</summary>
    public long DataStart { get; private set; }

    /// <summary>Reads and checks the header.</summary>
    /// <exception cref="PermanentException">A claim of the header is false or contradicts another.</exception>
    public static SafeTensorsHeader Read(string path, SafeFileHandle handle)
    {
        SafeTensorsHeader header = new(path);
        long fileBytes = RandomAccess.GetLength(handle);
        byte[] json = header.ReadJson(handle, fileBytes);
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            header.Parse(document.RootElement);
        }
        catch (JsonException fault)
        {
            throw new PermanentException($"{path}: the header is not JSON: {fault.Message}", fault);
        }

        header.CheckPlaces(fileBytes - header.DataStart);
        return header;
    }

    private byte[] ReadJson(SafeFileHandle handle, long fileBytes)
    {
        Span<byte> lengthBytes = stackalloc byte[8];
        if (fileBytes < 8 || RandomAccess.Read(handle, lengthBytes, 0) != 8)
        {
            throw Fault($"is {fileBytes} bytes long; a safetensors file has at least 8");
        }

        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(lengthBytes);
        if (length is < 2 or > MaxHeaderBytes || (long)length > fileBytes - 8)
        {
            throw Fault($"the header's length is given as {length} bytes, the file has {fileBytes}: truncated, or not a safetensors file");
        }

        byte[] json = new byte[length];
        for (int done = 0; done < json.Length; )
        {
            int read = RandomAccess.Read(handle, json.AsSpan(done), 8 + done);
            done += read > 0 ? read : throw Fault($"the header ends at byte {8 + done} of {8 + json.Length}");
        }

        DataStart = 8 + json.Length;
        return json;
    }

    private void Parse(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw Fault($"the header is a JSON {root.ValueKind}, not an object");
        }

        HashSet<string> names = [];
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (!names.Add(property.Name))
            {
                throw Fault($"the header has the key \"{property.Name}\" twice");
            }

            if (property.Name == SafeTensorsFile.MetadataKey)
            {
                ParseMetadata(property.Value);
            }
            else
            {
                Entries.Add(ParseEntry(property.Name, property.Value));
            }
        }
    }

    private void ParseMetadata(JsonElement metadata)
    {
        if (metadata.ValueKind != JsonValueKind.Object)
        {
            throw Fault($"{SafeTensorsFile.MetadataKey} is a JSON {metadata.ValueKind}, not an object");
        }

        foreach (JsonProperty property in metadata.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String || !Metadata.TryAdd(property.Name, property.Value.GetString()!))
            {
                throw Fault($"{SafeTensorsFile.MetadataKey} has \"{property.Name}\" twice or with a value that is not text");
            }
        }
    }

    private SafeTensorsEntry ParseEntry(string name, JsonElement entry)
    {
        string[] keys = entry.ValueKind == JsonValueKind.Object ? [.. entry.EnumerateObject().Select(property => property.Name)] : [];
        if (keys.Length != 3 || !keys.Contains("dtype") || !keys.Contains("shape") || !keys.Contains("data_offsets"))
        {
            throw Fault(name, $"has the keys [{string.Join(", ", keys)}], not dtype, shape and data_offsets once each");
        }

        JsonElement dtypeName = entry.GetProperty("dtype");
        SafeTensorsDtype dtype =
            (dtypeName.ValueKind == JsonValueKind.String ? SafeTensorsDtype.Find(dtypeName.GetString()!) : null)
            ?? throw Fault(name, $"has the element type {dtypeName.GetRawText()}; known: {SafeTensorsDtype.Known}");
        long[] shape = Numbers(name, entry, "shape");
        long[] offsets = Numbers(name, entry, "data_offsets");
        if (offsets.Length != 2 || offsets[1] < offsets[0])
        {
            throw Fault(name, $"has data_offsets [{string.Join(", ", offsets)}], not a start and an end at or after it");
        }

        if (Bytes(name, shape, dtype) is var bytes && bytes != offsets[1] - offsets[0])
        {
            throw Fault(
                name,
                $"has shape [{string.Join(", ", shape)}] of {dtype.Name}, {bytes} bytes, but "
                    + $"{offsets[1] - offsets[0]} bytes of values"
            );
        }

        return new SafeTensorsEntry(name, dtype.Type, shape, offsets[0], offsets[1]);
    }

    private long[] Numbers(string name, JsonElement entry, string key)
    {
        JsonElement list = entry.GetProperty(key);
        if (list.ValueKind != JsonValueKind.Array)
        {
            throw Fault(name, $"has {key} {list.GetRawText()}, not a list");
        }

        return
        [
            .. list.EnumerateArray()
                .Select(item =>
                    item.ValueKind == JsonValueKind.Number && item.TryGetInt64(out long number) && number >= 0
                        ? number
                        : throw Fault(name, $"has {item.GetRawText()} in its {key}, not a whole number of at least 0")
                ),
        ];
    }

    private long Bytes(string name, long[] shape, SafeTensorsDtype dtype)
    {
        try
        {
            return shape.Aggregate((long)dtype.ElementSize, (product, size) => checked(product * size));
        }
        catch (OverflowException)
        {
            throw Fault(name, $"has shape [{string.Join(", ", shape)}], more than 2^63 bytes");
        }
    }

    /// <summary>Tensors must tile the values exactly, as the format demands: no overlap, no gap, no rest.</summary>
    private void CheckPlaces(long dataBytes)
    {
        long end = 0;
        string previous = "the header";
        foreach (SafeTensorsEntry entry in Entries.OrderBy(entry => entry.Start).ThenBy(entry => entry.End))
        {
            if (entry.End > dataBytes)
            {
                throw Fault(entry.Name, $"ends at byte {entry.End} of the values, the file has {dataBytes}: truncated?");
            }

            if (entry.Start != end)
            {
                throw Fault(
                    entry.Name,
                    $"starts at byte {entry.Start} of the values, {previous} ends at {end}: "
                        + $"{(entry.Start < end ? "an overlap" : "a gap")}"
                );
            }

            end = entry.End;
            previous = $"\"{entry.Name}\"";
        }

        if (end != dataBytes)
        {
            throw Fault($"its tensors end at byte {end} of the values, the file has {dataBytes}");
        }
    }

    private PermanentException Fault(string what) => new($"{path}: {what}");

    private PermanentException Fault(string tensor, string what) => new($"{path}: tensor \"{tensor}\" {what}");
}
