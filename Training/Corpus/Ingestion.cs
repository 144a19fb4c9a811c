using ElectraPipeline.Training.Corpus.Cache;

namespace ElectraPipeline.Training.Corpus;

/// <summary>One ingestion as it goes: every record is counted once, and the counts must add up.</summary>
internal sealed class Ingestion(CorpusOptions options, RecordCache cache, PartWriters writers, IStageReporter reporter, long totalBytes)
{
    private const long ProgressBytes = 4 << 20;
    private readonly DuplicateFilter duplicateFilter = new(options.RemoveDuplicates);
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
        RefuseIfTooFew();
        IReadOnlyList<OutputPart> parts = writers.Commit();
        var manifest = new CorpusManifest
        {
            // Only names: the same corpus elsewhere on the disk is the same corpus.
            Options = options with { Paths = options.Paths.Select(path => Path.GetFileName(path.TrimEnd('/'))).ToList() },
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
            Parts = parts,
        };
        CheckSums(manifest);
        reporter.Progress(bytesRead, totalBytes, "bytes");
        reporter.Log(
            $"read {inputs.Count} files ({cache.FilesReused} of them unchanged, from the cache), {bytesRead} bytes: {documents} documents with {lines} lines and {manifest.TextBytesOut} bytes of text kept; "
            + $"{duplicates} duplicates, {manifest.DuplicateLines} duplicate lines, {empty} empty, {skips.Total} skipped, {rejects.Total} rejected");
        return manifest;
    }

    /// <summary>Books that do not balance mean lost text: better no corpus than one nobody can vouch for.</summary>
    internal static void CheckSums(CorpusManifest manifest)
    {
        Balance("records", manifest.Records, manifest.Documents + manifest.Duplicates + manifest.Empty + manifest.Skipped + manifest.Rejected);
        Balance("records of files", manifest.Records, manifest.Inputs.Sum(input => input.Records));
        Balance("bytes of files", manifest.BytesIn, manifest.Inputs.Sum(input => input.Bytes));
        Balance("skips", manifest.Skipped, manifest.Skips.Sum(reason => reason.Count));
        Balance("rejects", manifest.Rejected, manifest.Rejects.Sum(reason => reason.Count));
        Balance("documents of parts", manifest.Documents, manifest.Parts.Sum(part => part.Documents));
        Balance("bytes of text", manifest.TextBytesRead, manifest.TextBytesOut + manifest.DuplicateDocumentBytes + manifest.DuplicateLineBytes);
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
        string text = duplicateFilter.IsDuplicate(document.Text) ? "" : removeDuplicateLines ? duplicateFilter.NewLines(document.Text) : document.Text;
        if (text.Length == 0)
        {
            duplicates++;
            duplicateDocumentBytes += bytes;
            return;
        }

        duplicateLineBytes += bytes - DocumentText.Bytes(text);
        writers.Write(document with { Text = text });
        documents++;
        lines += 1 + text.AsSpan().Count('\n');
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

    private void RefuseIfTooFew()
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
                + $"{(rejects.Total > 0 ? $", {rejects.Total} rejected ({rejects})" : "")}; put text there or change corpus.paths");
        }
    }
}
