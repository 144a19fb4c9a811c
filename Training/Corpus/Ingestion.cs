using ElectraPipeline.Training.Corpus.Cache;
using ElectraPipeline.Training.Corpus.Filters;

namespace ElectraPipeline.Training.Corpus;

/// <summary>
/// One ingestion as it goes: every record is counted once, and the counts must add up. Documents go in batches through what can be done
/// on several threads (hashes, filters, writing) and in source order through what depends on those before.
/// </summary>
internal sealed class Ingestion(
    CorpusOptions options,
    CorpusFiles files,
    RecordCache cache,
    PartWriters writers,
    IStageReporter reporter,
    int threads
)
{
    /// <summary>So many that waking threads for a batch costs nothing beside its work.</summary>
    private const int BatchDocuments = 4096;

    private const int BatchBytes = 2 << 20;
    private const long ProgressBytes = 4 << 20;
    private readonly DuplicateFilter duplicateFilter = new(options.RemoveDuplicates);
    private readonly FilterChain filters = new(options.Filters, files.Filters, threads);
    private readonly DocumentSamples samples = new();
    private readonly RejectLedger rejects = new();
    private readonly RejectLedger skips = new();
    private readonly List<InputFile> inputs = [];
    private readonly List<(Document Document, bool RemoveDuplicateLines)> waiting = [];
    private long waitingBytes;
    private long bytesRead;
    private long recordsBefore;
    private long records;
    private long documents;
    private long duplicates;
    private long empty;
    private long lines;
    private long textBytesRead;
    private long duplicateDocumentBytes;
    private long duplicateLineBytes;

    /// <summary>Reads all sources, each to its end or to its damage.</summary>
    public void Read(CancellationToken cancellationToken)
    {
        long total = files.Sources.Sum(file => file.Length);
        long reported = 0;
        using var reading = new ReadAhead(files.Sources, cache, options, threads, cancellationToken);
        foreach (RecordBatch batch in reading.Batches())
        {
            Add(batch);
            if (reading.BytesRead - reported >= ProgressBytes)
            {
                reported = reading.BytesRead;
                reporter.Progress(reported, total, "bytes");
            }
        }

        Flush();
        bytesRead = reading.BytesRead;
        reporter.Progress(bytesRead, total, "bytes");
    }

    /// <summary>Publishes the parts and returns the manifest.</summary>
    public CorpusManifest Finish()
    {
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
            Samples = samples.Told(),
            Parts = parts,
        };
        CheckSums(manifest);
        reporter.Log(
            $"read {inputs.Count} files ({cache.FilesReused} of them unchanged, from the cache), {bytesRead} bytes: {documents} "
                + $"documents with {lines} lines and {manifest.TextBytesOut} bytes of text kept; "
                + $"{duplicates} duplicates, {manifest.DuplicateLines} duplicate lines, {empty} empty, {skips.Total} skipped, "
                + $"{rejects.Total} rejected"
                + (filtered is null ? "" : $", {filtered.Documents} documents and {filtered.Lines} lines removed by filters")
        );
        return manifest;
    }

    /// <summary>Books that do not balance mean lost text: better no corpus than one nobody can vouch for.</summary>
    internal static void CheckSums(CorpusManifest manifest)
    {
        Balance(
            "records",
            manifest.Records,
            manifest.Documents
                + manifest.Duplicates
                + manifest.Empty
                + manifest.Skipped
                + manifest.Rejected
                + (manifest.Filters?.Documents ?? 0)
        );
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

        Balance(
            "bytes of text",
            manifest.TextBytesRead,
            manifest.TextBytesOut + manifest.DuplicateDocumentBytes + manifest.DuplicateLineBytes + filteredBytes
        );
    }

    private static void Balance(string what, long left, long right)
    {
        if (left != right)
        {
            throw new InvalidOperationException(
                $"the corpus does not add up: {what} {left} against {right}; this is a fault of the program"
            );
        }
    }

    private void Add(Reject reject)
    {
        rejects.Add(reject);
        if (options.OnReject == "fail")
        {
            throw new PermanentException(
                $"cannot read {reject.Describe()} ({reject.Reason}); mend the file, or set corpus.onReject to \"skip\""
            );
        }
    }

    private void Add(RecordBatch batch)
    {
        foreach (ReadRecord record in batch.Records)
        {
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
                waiting.Add((record.Document!, options.RemoveDuplicateLines ?? batch.Format.RepeatsLines));
                waitingBytes += record.Document!.Utf8.Length;
            }

            if (waiting.Count >= BatchDocuments || waitingBytes >= BatchBytes)
            {
                Flush();
            }
        }

        if (batch.EndsFile)
        {
            inputs.Add(new InputFile(batch.File.Name, batch.Format.Name, batch.File.Length, batch.File.Sha256, records - recordsBefore));
            recordsBefore = records;
        }
    }

    private void Flush()
    {
        FilteredDocument[] read = new FilteredDocument[waiting.Count];
        ParallelWork.For(read.Length, threads, i => read[i] = new FilteredDocument(waiting[i].Document, waiting[i].RemoveDuplicateLines));
        waiting.Clear();
        waitingBytes = 0;
        writers.Write(Keep(filters.Judge([.. read.Where(IsNew)])));
    }

    /// <summary>Whether there is text that did not appear before.</summary>
    private bool IsNew(FilteredDocument document)
    {
        if (document.Original.Utf8.IsEmpty)
        {
            empty++;
            return false;
        }

        textBytesRead += document.OriginalBytes;
        if (!duplicateFilter.IsDuplicate(document.OriginalHash))
        {
            return true;
        }

        duplicates++;
        duplicateDocumentBytes += document.OriginalBytes;
        return false;
    }

    private List<PlacedDocument> Keep(IReadOnlyList<FilteredDocument> passed)
    {
        var kept = new List<PlacedDocument>(passed.Count);
        foreach (FilteredDocument document in passed)
        {
            PlacedDocument? rest = document.IsWhole
                ? new PlacedDocument(document.Original, document.OriginalHash)
                : Shortened(document, document.Text);
            long bytes = rest.Value.TextBytes;
            if (document.RemoveDuplicateLines)
            {
                rest = WithNewLines(document, rest.Value);
            }

            duplicateLineBytes += rest is { } some ? bytes - some.TextBytes : 0;
            if (rest is not { } placed)
            {
                duplicates++;
                duplicateDocumentBytes += bytes;
                continue;
            }

            kept.Add(placed);
            samples.Add(placed);
            filters.Written(placed.Document, document.Language);
            documents++;
            lines += 1 + placed.Document.Utf8.Count((byte)'\n');
        }

        return kept;
    }

    /// <summary>What is left without the lines that appeared before; null: nothing.</summary>
    private PlacedDocument? WithNewLines(FilteredDocument document, PlacedDocument whole)
    {
        string text = duplicateFilter.NewLines(document.Text);
        return text.Length == 0 ? null
            : ReferenceEquals(text, document.Text) ? whole
            : Shortened(document, text);
    }

    private static PlacedDocument Shortened(FilteredDocument document, string text)
    {
        Document rest = document.Original.WithText(text);
        return new PlacedDocument(rest, DocumentText.Hash(rest.Utf8));
    }

    private void RefuseIfTooFew(FilterReport? filtered)
    {
        if (records > 0 && rejects.Total > options.MaxRejectShare * records)
        {
            throw new PermanentException(
                $"{rejects.Total} of {records} records could not be read, more than the share of {options.MaxRejectShare} that "
                    + $"corpus.maxRejectShare allows: {rejects}"
            );
        }

        if (documents == 0)
        {
            throw new PermanentException(
                $"no document in {inputs.Count} file(s), the first {inputs[0].Name}: {records} records, {empty} of them empty, "
                    + $"{skips.Total} skipped"
                    + $"{(filtered is null ? "" : $", {filtered.Documents} removed by filters")}"
                    + $"{(rejects.Total > 0 ? $", {rejects.Total} rejected ({rejects})" : "")}; put text there or change corpus.paths"
                    + (filtered is null ? "" : " or corpus.filters")
            );
        }
    }
}
