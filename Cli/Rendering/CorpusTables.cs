using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Corpus.Filters;
using Spectre.Console;

namespace ElectraPipeline.Cli.Rendering;

/// <summary>What became of the records of a corpus, in tables whose columns add up.</summary>
internal static class CorpusTables
{
    /// <summary>Writes the sums, and why records and lines were left out.</summary>
    public static void Write(Terminal terminal, IngestResult result)
    {
        CorpusManifest manifest = result.Manifest;
        terminal.Output.Write(Sums(manifest));
        if (Reasons(manifest) is { Rows.Count: > 0 } reasons)
        {
            terminal.Output.Write(reasons);
        }
    }

    private static Table Sums(CorpusManifest manifest)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn("");
        table.AddColumn(new TableColumn("records").RightAligned().NoWrap());
        table.AddColumn(new TableColumn("bytes of text").RightAligned().NoWrap());
        void Row(string name, long records, long? bytes) => table.AddRow(name, $"{records:N0}", $"{bytes:N0}");

        FilterReport? filters = manifest.Filters;
        Row("read", manifest.Records, manifest.TextBytesRead);
        table.AddEmptyRow();
        Row("documents", manifest.Documents, manifest.TextBytesOut);
        Row("duplicates", manifest.Duplicates, manifest.DuplicateDocumentBytes);
        table.AddRow("duplicate lines", "", $"{manifest.DuplicateLineBytes:N0}");
        if (filters is not null)
        {
            Row("removed by filters", filters.Documents, filters.DocumentBytes);
            table.AddRow("lines removed by filters", "", $"{filters.LineBytes:N0}");
        }

        Row("empty", manifest.Empty, null);
        Row("skipped, no text by kind", manifest.Skipped, null);
        Row("rejected", manifest.Rejected, null);
        return table;
    }

    private static Table Reasons(CorpusManifest manifest)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumns("left out", "reason");
        table.AddColumn(new TableColumn("count").RightAligned().NoWrap());
        table.AddColumn("the first");
        void Add(string what, IReadOnlyList<RejectCount> reasons)
        {
            foreach (RejectCount reason in reasons)
            {
                table.AddRow(what, Markup.Escape(reason.Reason), $"{reason.Count:N0}", Markup.Escape(reason.Samples[0].Describe()));
            }
        }

        void AddFilters(string what, IReadOnlyList<FilterCount> reasons)
        {
            foreach (FilterCount reason in reasons)
            {
                FilterSample first = reason.Samples[0];
                table.AddRow(
                    what,
                    Markup.Escape($"{reason.Filter}: {reason.Reason}"),
                    $"{reason.Count:N0}",
                    Markup.Escape($"{first.Id} {first.Detail}".TrimEnd())
                );
            }
        }

        Add("rejected", manifest.Rejects);
        Add("skipped", manifest.Skips);
        AddFilters("document", manifest.Filters?.DocumentReasons ?? []);
        AddFilters("line", manifest.Filters?.LineReasons ?? []);
        return table;
    }
}
