using System.Security.Cryptography;
using System.Text.Json;
using ElectraPipeline.Training.Corpus.Readers;

namespace ElectraPipeline.Training.Corpus.Cache;

/// <summary>
/// What reading each source file gave, kept so that ingesting a grown folder reads only what is new or changed. It holds no truth of
/// its own: it may be deleted at any time, by anybody, and the corpus is the same. Safe for several threads.
/// </summary>
/// <param name="folder">Shared by all workers of a host; null keeps nothing and reads every file.</param>
internal sealed class RecordCache(string? folder)
{
    /// <summary>Raise it when a reader gives other records for the same bytes and options, or the form they are kept in changes.</summary>
    private const int ReadersVersion = 3;

    private static readonly TimeSpan KeptUnused = TimeSpan.FromDays(30);
    private int filesReused;

    /// <summary>Files whose records came from the cache.</summary>
    public int FilesReused => filesReused;

    /// <summary>
    /// The records of a file, as <see cref="DocumentSource.Read"/> gives them. They are kept once all have been taken; an
    /// iteration given up earlier leaves nothing.
    /// </summary>
    /// <param name="file">From <see cref="SourceFiles.Resolve"/>.</param>
    /// <param name="options">How to read.</param>
    /// <param name="onRead">Hears the bytes of the file, for progress; all at once if they are not read.</param>
    /// <param name="onFormat">Hears the format and whether its lines repeat, before the first record.</param>
    public IEnumerable<ReadRecord> Read(SourceFile file, CorpusOptions options, Action<long> onRead, Action<SourceFormat> onFormat)
    {
        if (folder is null)
        {
            return ReadSource(file, options, onRead, onFormat);
        }

        string key = KeyOf(file, options);
        string path = Path.Combine(folder, key[..2], key + CachedRecords.Extension);
        if (!File.Exists(path))
        {
            return ReadAndKeep(path, file, options, onRead, onFormat);
        }

        Interlocked.Increment(ref filesReused);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
        return ReadKept(path, file, onRead, onFormat);
    }

    /// <summary>Deletes what no ingestion used for 30 days, and what crashed ones left.</summary>
    public void Prune()
    {
        if (folder is null || !Directory.Exists(folder))
        {
            return;
        }

        DateTime oldest = DateTime.UtcNow - KeptUnused;
        foreach (
            string path in Directory
                .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Where(path => File.GetLastWriteTimeUtc(path) < oldest)
        )
        {
            File.Delete(path);
        }
    }

    private static IEnumerable<ReadRecord> ReadSource(
        SourceFile file,
        CorpusOptions options,
        Action<long> onRead,
        Action<SourceFormat> onFormat
    ) => DocumentSource.Read(file, options, onRead, reader => onFormat(SourceFormat.Of(reader)));

    private IEnumerable<ReadRecord> ReadAndKeep(
        string path,
        SourceFile file,
        CorpusOptions options,
        Action<long> onRead,
        Action<SourceFormat> onFormat
    )
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var kept = new CachedRecords.Writer(path, options.Compress);
        void Begin(SourceFormat format)
        {
            kept.Begin(format);
            onFormat(format);
        }

        foreach (ReadRecord record in ReadSource(file, options, onRead, Begin))
        {
            kept.Write(record);
            yield return record;
        }

        kept.Commit();
    }

    private static IEnumerable<ReadRecord> ReadKept(string path, SourceFile file, Action<long> onRead, Action<SourceFormat> onFormat)
    {
        foreach (ReadRecord record in CachedRecords.Read(path, onFormat))
        {
            yield return record;
        }

        onRead(file.Length);
    }

    /// <summary>
    /// All that a file's records are a function of: its bytes, the name that documents bear, the options and the readers. Options that
    /// are known not to bear on reading are left out; one that is added later is in until somebody says so here.
    /// </summary>
    private static string KeyOf(SourceFile file, CorpusOptions options)
    {
        CorpusOptions bearing = options with
        {
            Paths = [],
            RemoveDuplicates = false,
            RemoveDuplicateLines = null,
            OnReject = "",
            MaxRejectShare = 0,
            Parts = 0,
            Filters = null,
            Compress = false,
        };
        return Convert.ToHexStringLower(
            SHA256.HashData(
                JsonSerializer.SerializeToUtf8Bytes(
                    new
                    {
                        ReadersVersion,
                        file.Name,
                        file.Sha256,
                        Options = bearing,
                    }
                )
            )
        );
    }
}

/// <summary>What ingestion needs to know of the reader that was chosen.</summary>
/// <param name="Name">As in <see cref="CorpusOptions.Format"/>, or <see cref="DocumentSource.UnknownFormat"/>.</param>
/// <param name="RepeatsLines">See <see cref="IDocumentReader.RepeatsLines"/>.</param>
internal sealed record SourceFormat(string Name, bool RepeatsLines)
{
    public static SourceFormat Of(IDocumentReader? reader) =>
        new(reader?.Format ?? DocumentSource.UnknownFormat, reader?.RepeatsLines == true);
}
