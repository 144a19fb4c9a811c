using ElectraPipeline.Training.Corpus.Cache;
using ElectraPipeline.Training.Corpus.Filters;

namespace ElectraPipeline.Training.Corpus;

/// <summary>One ingestion as it goes: every record is counted once, and the counts must add up.</summary>
internal sealed class Ingestion(CorpusOptions options, RecordCache cache, PartWriters writers, IStageReporter reporter, long totalBytes)
{
    private const long ProgressBytes = 4 << 20;
    private readonly DuplicateFilter duplicateFilter = new(options.RemoveDuplicates);
    private readonly FilterChain filters = new(options.Filters);
    private readonly RejectLedger rejects = new();
    private readonly RejectLedger skips = new();
    private readonly List<InputFile> inputs = [];
    private long bytesRead;
    private long bytesReported;
    private long records;
    private long documents;
    private long duplicates;
    private long empty;
    private long lines;
    private long textBytesRead;
    private long duplicateDocumentBytes;
    private long duplicateLineBytes;

    /// <summary>Reads a file to its end or to its damage.</summary>
    public void Read(SourceFile file, CancellationToken cancellationToken)
    {
        SourceFormat? format = null;
        long before = records;
        foreach (ReadRecord record in cache.Read(file, options, OnRead, found => format = found))
        {
            cancellationToken.ThrowIfCancellationRequested();
            records++;
            if (record.Skip is { } skip)
            {
                skips.Add(skip);
            }
            else if (record.Reject is { } reject)
            {
                Add(reject);
            }
            else
            {
                Add(record.Document!, options.RemoveDuplicateLines ?? format!.RepeatsLines);
            }
        }

        inputs.Add(new InputFile(file.Name, format!.Name, file.Length, file.Sha256, records - before));
    }

    /// <summary>Publishes the parts and returns the manifest.</summary>
    public CorpusManifest Finish()
    {
        Keep(filters.Flush());
        FilterReport? filtered = filters.Report();
        RefuseIfTooFew(filtered);
        IReadOnlyList<OutputPart> parts = writers.Commit();
        var manifest = new CorpusManifest
        {
            // Only names: the same corpus elsewhere on the disk is the same corpus.
            Options = options.WithNamesOnly(),
            Inputs = inputs,
            BytesIn = bytesRead,
            Records = records,
            Documents = documents,
            Duplicates = duplicates,
            Empty = empty,
            Skipped = skips.Total,
            Rejected = rejects.Total,
            TextBytesRead = textBytesRead,
            TextBytesOut = parts.Sum(part => part.TextBytes),
            DuplicateDocumentBytes = duplicateDocumentBytes,
            DuplicateLineBytes = duplicateLineBytes,
            Lines = lines,
            DuplicateLines = duplicateFilter.DuplicateLines,
            Skips = skips.Counts(),
            Rejects = rejects.Counts(),
            Filters = filtered,
            Parts = parts,
        };
        CheckSums(manifest);
        reporter.Progress(bytesRead, totalBytes, "bytes");
        reporter.Log(
            $"read {inputs.Count} files ({cache.FilesReused} of them unchanged, from the cache), {bytesRead} bytes: {documents} documents with {lines} lines and {manifest.TextBytesOut} bytes of text kept; "
            + $"{duplicates} duplicates, {manifest.DuplicateLines} duplicate lines, {empty} empty, {skips.Total} skipped, {rejects.Total} rejected"
            + (filtered is null ? "" : $", {filtered.Documents} documents and {filtered.Lines} lines removed by filters"));
        return manifest;
    }

    /// <summary>Books that do not balance mean lost text: better no corpus than one nobody can vouch for.</summary>
    internal static void CheckSums(CorpusManifest manifest)
    {
        Balance("records", manifest.Records, manifest.Documents + manifest.Duplicates + manifest.Empty + manifest.Skipped + manifest.Rejected + (manifest.Filters?.Documents ?? 0));
        Balance("records of files", manifest.Records, manifest.Inputs.Sum(input => input.Records));
        Balance("bytes of files", manifest.BytesIn, manifest.Inputs.Sum(input => input.Bytes));
        Balance("skips", manifest.Skipped, manifest.Skips.Sum(reason => reason.Count));
        Balance("rejects", manifest.Rejected, manifest.Rejects.Sum(reason => reason.Count));
        Balance("documents of parts", manifest.Documents, manifest.Parts.Sum(part => part.Documents));
        long filteredBytes = 0;
        if (manifest.Filters is { } filters)
        {
            Balance("documents filtered", filters.Documents, filters.DocumentReasons.Sum(reason => reason.Count));
            Balance("lines filtered", filters.Lines, filters.LineReasons.Sum(reason => reason.Count));
            Balance("documents by length", manifest.Documents, filters.Lengths.Sum(length => length.Documents));
            filteredBytes = filters.DocumentBytes + filters.LineBytes;
        }

        Balance("bytes of text", manifest.TextBytesRead, manifest.TextBytesOut + manifest.DuplicateDocumentBytes + manifest.DuplicateLineBytes + filteredBytes);
    }

    private static void Balance(string what, long left, long right)
    {
        if (left != right)
        {
            throw new InvalidOperationException($"the corpus does not add up: {what} {left} against {right}; this is a fault of the program");
        }
    }

    private void Add(Reject reject)
    {
        rejects.Add(reject);
        if (options.OnReject == "fail")
        {
            throw new PermanentException(
                $"cannot read {RejectLedger.At(reject)} ({reject.Reason}); mend the file, or set corpus.onReject to \"skip\"");
        }
    }

    private void Add(Document document, bool removeDuplicateLines)
    {
        if (document.Text.Length == 0)
        {
            empty++;
            return;
        }

        long bytes = DocumentText.Bytes(document.Text);
        textBytesRead += bytes;
        if (duplicateFilter.IsDuplicate(document.Text))
        {
            duplicates++;
            duplicateDocumentBytes += bytes;
            return;
        }

        Keep(filters.Add(document, removeDuplicateLines));
    }

    private void Keep(IReadOnlyList<FilteredDocument> passed)
    {
        foreach (FilteredDocument document in passed)
        {
            long bytes = DocumentText.Bytes(document.Text);
            string text = document.RemoveDuplicateLines ? duplicateFilter.NewLines(document.Text) : document.Text;
            if (text.Length == 0)
            {
                duplicates++;
                duplicateDocumentBytes += bytes;
                continue;
            }

            duplicateLineBytes += bytes - DocumentText.Bytes(text);
            writers.Write(document.Original with { Text = text });
            filters.Written(text, document.Language);
            documents++;
            lines += 1 + text.AsSpan().Count('\n');
        }
    }

    private void OnRead(long bytes)
    {
        bytesRead += bytes;
        if (bytesRead - bytesReported >= ProgressBytes)
        {
            bytesReported = bytesRead;
            reporter.Progress(bytesRead, totalBytes, "bytes");
        }
    }

    private void RefuseIfTooFew(FilterReport? filtered)
    {
        if (records > 0 && rejects.Total > options.MaxRejectShare * records)
        {
            throw new PermanentException(
                $"{rejects.Total} of {records} records could not be read, more than the share of {options.MaxRejectShare} that "
                + $"corpus.maxRejectShare allows: {rejects}");
        }

        if (documents == 0)
        {
            throw new PermanentException(
                $"no document in {inputs.Count} file(s), the first {inputs[0].Name}: {records} records, {empty} of them empty, {skips.Total} skipped"
                + $"{(filtered is null ? "" : $", {filtered.Documents} removed by filters")}"
                + $"{(rejects.Total > 0 ? $", {rejects.Total} rejected ({rejects})" : "")}; put text there or change corpus.paths"
                + (filtered is null ? "" : " or corpus.filters"));
        }
    }
}
