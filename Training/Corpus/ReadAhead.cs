using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using ElectraPipeline.Training.Corpus.Cache;

namespace ElectraPipeline.Training.Corpus;

/// <summary>Some records of a file, in order.</summary>
/// <param name="File">Where they are from.</param>
/// <param name="Format">What read them.</param>
/// <param name="Records">The records.</param>
/// <param name="EndsFile">Whether they are its last.</param>
internal sealed record RecordBatch(SourceFile File, SourceFormat Format, IReadOnlyList<ReadRecord> Records, bool EndsFile);

/// <summary>
/// Reads source files on threads of its own, one file a thread, some records ahead of whoever takes them, and gives all records in the
/// order of the files. Memory is bounded by the batches in flight.
/// </summary>
internal sealed class ReadAhead : IDisposable
{
    private const int BatchRecords = 2048;
    private const int BatchBytes = 1 << 19;
    private const int BatchesAhead = 2;

    private readonly IReadOnlyList<SourceFile> files;
    private readonly RecordCache cache;
    private readonly CorpusOptions options;
    private readonly CancellationTokenSource stop;
    private readonly BlockingCollection<Reading> readings;
    private readonly Thread[] threads;
    private readonly Lock turn = new();
    private Reading? current; // Not disposed before its reader has stopped, however early the consumer does.
    private int next;
    private long bytesRead;

    /// <param name="files">To read, in this order.</param>
    /// <param name="cache">Keeps records of files.</param>
    /// <param name="options">How to read.</param>
    /// <param name="threads">How many.</param>
    /// <param name="cancellationToken">Ends reading and waiting.</param>
    public ReadAhead(
        IReadOnlyList<SourceFile> files,
        RecordCache cache,
        CorpusOptions options,
        int threads,
        CancellationToken cancellationToken
    )
    {
        this.files = files;
        this.cache = cache;
        this.options = options;
        stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        readings = new BlockingCollection<Reading>(threads);
        this.threads =
        [
            .. Enumerable.Range(0, threads).Select(number => new Thread(Work) { IsBackground = true, Name = $"corpus reader {number}" }),
        ];
        Array.ForEach(this.threads, thread => thread.Start());
    }

    /// <summary>Bytes that have left the disk.</summary>
    public long BytesRead => Interlocked.Read(ref bytesRead);

    /// <summary>All records; what went wrong with a file is thrown where its next records would be.</summary>
    public IEnumerable<RecordBatch> Batches()
    {
        for (int file = 0; file < files.Count; file++)
        {
            Reading reading = current = readings.Take(stop.Token);
            bool ended = false;
            while (!ended)
            {
                RecordBatch? batch = reading.Batches.Take(stop.Token);
                if (batch is null)
                {
                    reading.Failure!.Throw();
                }

                yield return batch;
                ended = batch.EndsFile;
            }

            current = null;
            reading.Dispose();
        }
    }

    /// <summary>Stops reading and waits until all files are closed.</summary>
    public void Dispose()
    {
        stop.Cancel();
        Array.ForEach(threads, thread => thread.Join());
        current?.Dispose();
        while (readings.TryTake(out Reading? left))
        {
            left.Dispose();
        }

        readings.Dispose();
        stop.Dispose();
    }

    private void Work()
    {
        try
        {
            while (Begin() is { } reading)
            {
                Read(reading);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Nobody waits for more.
        }
    }

    /// <summary>Takes the next file, and puts what will be read of it behind what is read of the files before.</summary>
    private Reading? Begin()
    {
        lock (turn)
        {
            if (next == files.Count)
            {
                return null;
            }

            var reading = new Reading(files[next++]);
            readings.Add(reading, stop.Token);
            return reading;
        }
    }

    private void Read(Reading reading)
    {
        try
        {
            ReadAll(reading);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            reading.Failure = ExceptionDispatchInfo.Capture(exception);
            reading.Batches.Add(null, stop.Token);
        }
    }

    private void ReadAll(Reading reading)
    {
        SourceFormat? format = null;
        var records = new List<ReadRecord>();
        int bytes = 0;
        foreach (
            ReadRecord record in cache.Read(reading.File, options, read => Interlocked.Add(ref bytesRead, read), found => format = found)
        )
        {
            records.Add(record);
            bytes += record.Document?.Utf8.Length ?? 0;
            if (records.Count >= BatchRecords || bytes >= BatchBytes)
            {
                reading.Batches.Add(new RecordBatch(reading.File, format!, records, EndsFile: false), stop.Token);
                records = [];
                bytes = 0;
            }
        }

        reading.Batches.Add(new RecordBatch(reading.File, format!, records, EndsFile: true), stop.Token);
    }

    /// <summary>A file that is being read. Null in place of a batch: it failed.</summary>
    private sealed record Reading(SourceFile File) : IDisposable
    {
        public BlockingCollection<RecordBatch?> Batches { get; } = new(BatchesAhead);

        public ExceptionDispatchInfo? Failure { get; set; }

        public void Dispose() => Batches.Dispose();
    }
}
