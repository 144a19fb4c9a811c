using System.Text.Json;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>Tokenizes a stream of texts, one a line, into JSON lines {"ids":[...]} in the same order.</summary>
public static class TokenizeTexts
{
    /// <summary>
    /// Reads texts from <paramref name="input"/>: lines of UTF-8, or with <paramref name="jsonField"/> JSON objects whose field of that
    /// name is the text. <paramref name="addSpecial"/> puts [CLS] before and [SEP] behind each. Returns the number of texts.
    /// </summary>
    /// <exception cref="PermanentException">
    /// A line is not a JSON object with that field as a string; the message names the line.
    /// </exception>
    public static long Run(
        ITokenizer tokenizer,
        Stream input,
        Stream output,
        string? jsonField,
        bool addSpecial,
        CancellationToken cancellationToken = default
    )
    {
        var ids = new List<int>();
        var buffered = new BufferedStream(output, 1 << 16); // not disposed: that would close the caller's stream
        using var writer = new Utf8JsonWriter(buffered);
        long texts = 0;
        foreach (ReadOnlyMemory<byte> line in Utf8Lines.Read(input))
        {
            cancellationToken.ThrowIfCancellationRequested();
            texts++;
            ids.Clear();
            if (jsonField is null)
            {
                tokenizer.Encode(line.Span, ids);
            }
            else
            {
                tokenizer.Encode(TextOf(line, jsonField, texts), ids);
            }

            Write(writer, ids, addSpecial ? tokenizer.Vocabulary : null);
            writer.Flush();
            writer.Reset();
            buffered.WriteByte((byte)'\n');
        }

        buffered.Flush();

        return texts;
    }

    private static void Write(Utf8JsonWriter writer, List<int> ids, Vocabulary? specials)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("ids");
        if (specials is not null)
        {
            writer.WriteNumberValue(specials.ClassifierId);
        }

        foreach (int id in ids)
        {
            writer.WriteNumberValue(id);
        }

        if (specials is not null)
        {
            writer.WriteNumberValue(specials.SeparatorId);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static string TextOf(ReadOnlyMemory<byte> line, string field, long number)
    {
        try
        {
            using JsonDocument record = JsonDocument.Parse(line);
            if (
                record.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty(field, out JsonElement text)
                && text.ValueKind == JsonValueKind.String
            )
            {
                return text.GetString()!;
            }

            string found =
                record.RootElement.ValueKind == JsonValueKind.Object
                    ? string.Join(", ", record.RootElement.EnumerateObject().Select(property => $"\"{property.Name}\""))
                    : record.RootElement.ValueKind.ToString();
            throw new PermanentException($"input line {number}: no text in a field \"{field}\"; found: {found}");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new PermanentException($"input line {number} is not valid JSON: {e.Message}", e);
        }
    }
}
