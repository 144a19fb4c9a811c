using Parquet.Schema;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>
/// Apache Parquet tables: a row is a document, its text in the string column <see cref="CorpusOptions.TextField"/>, its id (if any)
/// in "id". Null texts count as empty. Nested columns cannot hold a text; the file's are skipped with one message.
/// </summary>
/// <remarks>
/// The text column of one row group is in memory at a time; a group in which it takes more than 512 MiB, whatever it says, is rejected. A
/// damaged group is one reject, and reading goes on with the next. A table is read from its end, so one inside a compressed file
/// is refused.
/// </remarks>
internal sealed class ParquetDocumentReader : IDocumentReader
{
    public string Format => "parquet";

    public IReadOnlyList<string> Extensions { get; } = [".parquet"];

    public Recognition Recognize(ReadOnlySpan<byte> head) => head.StartsWith("PAR1"u8) ? Recognition.Certain : Recognition.No;

    public IEnumerable<ReadRecord> Read(SourceContent content, CorpusOptions options)
    {
        if (content.IsCompressed)
        {
            throw new DamagedSourceException(
                "compressed-table",
                "a Parquet file is read from its end, so it cannot be inside a compressed one; decompress it",
                0
            );
        }

        using var table = ParquetTable.Open(content.Handle);
        if (table.NestedColumns.Count > 0)
        {
            yield return ReadRecord.Skipped(
                new Reject("nested-columns", content.Name, 0, 0, $"not read: {string.Join(", ", table.NestedColumns)}")
            );
        }

        DataField text = TextColumn(table, options.TextField);
        long first = 1;
        for (int group = 0; group < table.Groups; group++)
        {
            (long rows, long offset, long bytes) = table.Describe(group, text);
            foreach (ReadRecord record in ReadGroup(table, group, text, content.Name, (first, rows, offset, bytes)))
            {
                yield return record;
            }

            first += rows;
        }
    }

    private static DataField TextColumn(ParquetTable table, string name)
    {
        DamagedSourceException Fault(string reason, string detail) => new(reason, detail + " (option corpus.textField)", 0);

        if (table.NestedColumns.Contains(name.Split('.')[0]))
        {
            throw Fault("nested-text-column", $"the column \"{name}\" is nested; flat ones are {table.Names}");
        }

        DataField column = table.Find(name) ?? throw Fault("no-text-field", $"no column \"{name}\"; there are {table.Names}");
        return ParquetTable.HoldsText(column)
            ? column
            : throw Fault("text-not-a-string", $"the column \"{name}\" holds {column.ClrType.Name}, not strings");
    }

    private static IEnumerable<ReadRecord> ReadGroup(
        ParquetTable table,
        int group,
        DataField text,
        string source,
        (long First, long Rows, long Offset, long Bytes) place
    )
    {
        (long first, long rows, long offset, long bytes) = place;
        if (bytes > ParquetTable.MaxColumnBytes)
        {
            yield return new Reject(
                "row-group-too-large",
                source,
                first,
                offset,
                $"the text of rows {first} to {first + rows - 1} takes {bytes} bytes, more than {ParquetTable.MaxColumnBytes}"
            );
            yield break;
        }

        (string?[] Texts, string?[]? Ids)? read = null;
        Reject? damage = null;
        try
        {
            read = (table.ReadStrings(group, text), table.Find("id") is { } id && id != text ? table.ReadIds(group, id) : null);
        }
        catch (DamagedSourceException exception)
        {
            damage = new Reject(
                "damaged-row-group",
                source,
                first,
                offset,
                $"rows {first} to {first + rows - 1} are lost: {exception.Message}"
            );
        }

        if (damage is not null)
        {
            yield return damage;
            yield break;
        }

        for (int i = 0; i < rows; i++)
        {
            string name = read!.Value.Ids?[i] ?? $"{source}:{first + i}";
            yield return new Document(name, DocumentText.Normalize(read.Value.Texts[i] ?? ""), source);
        }
    }
}
