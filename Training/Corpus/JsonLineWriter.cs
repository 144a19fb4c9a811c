using System.Buffers;
using System.Text.Json;

namespace ElectraPipeline.Training.Corpus;

/// <summary>Writes values as JSON, a line each, in the form of <see cref="DocumentParts.LineOptions"/>.</summary>
/// <remarks>By way of a buffer: a writer directly on a stream flushes it with each value, which ends a block of a compressed one.</remarks>
internal sealed class JsonLineWriter(Stream stream, JsonSerializerOptions options)
{
    private readonly ArrayBufferWriter<byte> buffer = new(1 << 12);
    private Utf8JsonWriter? json;

    public void Write<T>(T value)
    {
        json ??= new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = options.Encoder });
        JsonSerializer.Serialize(json, value, options);
        json.Flush();
        json.Reset();
        buffer.Write("\n"u8);
        stream.Write(buffer.WrittenSpan);
        buffer.ResetWrittenCount();
    }
}
