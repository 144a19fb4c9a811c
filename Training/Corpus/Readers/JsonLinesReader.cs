using System.Text;
using System.Text.Json;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>JSON lines: one object a line, its text in the field <see cref="CorpusOptions.TextField"/>, its id (if any) in "id".</summary>
/// <remarks>A line that is not such an object is a reject with its line and offset; blank lines are skipped.</remarks>
internal sealed class JsonLinesReader : IDocumentReader
{
    public string Format => "jsonl";

    public IReadOnlyList<string> Extensions { get; } = [".jsonl", ".ndjson", ".json"];

    public Recognition Recognize(ReadOnlySpan<byte> head) =>
        head.TrimStart(" \t\r\n"u8).StartsWith("{"u8) ? Recognition.Possible : Recognition.No;

    public IEnumerable<ReadRecord> Read(SourceContent content, CorpusOptions options)
    {
        (Stream stream, int mark) = content.OpenText();
        var reader = new LineReader(stream, mark);
        byte[] field = Encoding.UTF8.GetBytes(options.TextField);
        while (reader.Read())
        {
            if (reader.Overlong || !reader.Line.Span.Trim(" \t\r"u8).IsEmpty)
            {
                yield return Parse(content.Name, reader, field);
            }
        }
    }

    private static ReadRecord Parse(string source, LineReader lines, byte[] field)
    {
        Reject Fault(string reason, long at, string detail) => new(reason, source, lines.Number, lines.Offset + at, detail);

        ReadOnlySpan<byte> line = lines.Line.Span;
        if (lines.Overlong)
        {
            return Fault("line-too-long", 0, "more than 64 MiB without a line feed");
        }

        if (PlainTextReader.Utf8Fault(line) is int invalid)
        {
            return Fault("invalid-utf8", invalid, $"byte 0x{line[invalid]:X2} does not belong to UTF-8 text");
        }

        var json = new Utf8JsonReader(line);
        try
        {
            var found = new Fields(field);
            found.ReadObject(ref json);
            if (found.Text is null)
            {
                return Fault(found.TextKind is null ? "no-text-field" : "text-not-a-string", 0, found.Describe());
            }

            return new Document(found.Id ?? $"{source}:{lines.Number}", DocumentText.Normalize(found.Text), source);
        }
        catch (JsonException exception)
        {
            return Fault("broken-json", exception.BytePositionInLine ?? 0, exception.Message);
        }
        catch (InvalidOperationException exception)
        {
            // An escaped half of a surrogate pair (\ud800) is JSON but no text.
            return Fault("invalid-string", json.TokenStartIndex, exception.Message);
        }
    }

    /// <summary>What a line's object holds of interest. The whole line is read, so that broken JSON behind the text is seen.</summary>
    private ref struct Fields(ReadOnlySpan<byte> field)
    {
        private readonly ReadOnlySpan<byte> field = field;
        private string? names;

        public string? Text { get; private set; }

        public JsonTokenType? TextKind { get; private set; }

        public string? Id { get; private set; }

        public void ReadObject(ref Utf8JsonReader json)
        {
            json.Read();
            if (json.TokenType != JsonTokenType.StartObject)
            {
                throw new JsonException(
                    $"a line holds one object, this one begins with {json.TokenType}",
                    null,
                    null,
                    json.TokenStartIndex
                );
            }

            ReadMembers(ref json, field, top: true);
            if (json.Read())
            {
                throw new JsonException("more than one value on a line", null, null, json.TokenStartIndex);
            }
        }

        public readonly string Describe() =>
            TextKind is null
                ? $"no field \"{Encoding.UTF8.GetString(field)}\"; there are {names ?? "none"} (option corpus.textField)"
                : $"the field \"{Encoding.UTF8.GetString(field)}\" holds {TextKind}, not a string";

        private void ReadMembers(ref Utf8JsonReader json, ReadOnlySpan<byte> wanted, bool top)
        {
            int dot = wanted.IndexOf((byte)'.');
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                bool text = json.ValueTextEquals(wanted);
                bool inside = !text && dot > 0 && json.ValueTextEquals(wanted[..dot]);
                bool id = top && json.ValueTextEquals("id"u8);
                string? name = top && !text && Text is null ? json.GetString() : null;
                json.Read();
                if (text)
                {
                    TextKind = json.TokenType;
                    Text = json.TokenType == JsonTokenType.String ? json.GetString() : null;
                }
                else if (id && json.TokenType is JsonTokenType.String or JsonTokenType.Number)
                {
                    Id = json.TokenType == JsonTokenType.String ? json.GetString() : Encoding.UTF8.GetString(json.ValueSpan);
                }

                if (inside && json.TokenType == JsonTokenType.StartObject)
                {
                    ReadMembers(ref json, wanted[(dot + 1)..], top: false);
                }
                else
                {
                    json.Skip();
                }

                names =
                    name is null ? names
                    : names is null ? $"\"{name}\""
                    : $"{names}, \"{name}\"";
            }
        }
    }
}
