using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Shards;

/// <summary>
/// Text files straight to a shard folder: the same examples that ingestion and tokenization make of them, without filters, removal of
/// duplicates or anything written in between. Threads work on pieces of the files and write in the order of the pieces.
/// </summary>
public sealed class ShardBuildProgram
{
    private const int SamplesKept = 10;

    private readonly ShardBuildRequest request;
    private readonly WordPieceTokenizer tokenizer;
    private readonly TextChunks chunks;
    private readonly ShardFolderWriter output;
    private readonly CancellationToken cancellationToken;
    private readonly Lock totals = new();
    private readonly OrderedTurns turns = new();
    private readonly List<string> samples = [];
    private readonly TokenTally tokens;
    private long documents;
    private long rejected;

    private ShardBuildProgram(ShardBuildRequest request, TextChunks chunks, ShardFolderWriter output, CancellationToken cancellationToken)
    {
        this.request = request;
        this.chunks = chunks;
        this.output = output;
        this.cancellationToken = cancellationToken;
        tokenizer = new WordPieceTokenizer(request.Vocabulary, request.Tokenizer);
        tokens = new TokenTally(request.Vocabulary);
    }

    /// <summary>
    /// Builds the folder. Its bytes are a function of the files' bytes and order, the vocabulary, the options and the seed.
    /// </summary>
    /// <exception cref="PermanentException">
    /// An input is missing or no plain text, an option is out of range, or there is no document.
    /// </exception>
    public static ShardBuildResult Run(ShardBuildRequest request, CancellationToken cancellationToken)
    {
        request.Examples.Validated();
        IReadOnlyList<string> files = FilesOf(request.Inputs);
        using var chunks = new TextChunks(files);
        using var output = new ShardFolderWriter(request.OutputFolder, request.Vocabulary, request.Tokenizer, request.Examples);
        return new ShardBuildProgram(request, chunks, output, cancellationToken).Run(files);
    }

    private ShardBuildResult Run(IReadOnlyList<string> files)
    {
        int threads = Math.Max(1, request.Threads);
        ParallelWork.For(threads, threads, _ => Work());

        if (documents == 0)
        {
            throw new PermanentException(
                $"no document in {files.Count} file(s), the first {files[0]} ({rejected} rejected); put text there or name other files");
        }

        TokenizeResult counts = tokens.AddTo(new TokenizeResult(documents, 0, 0, 0, 0, 0));
        counts = output.Commit(counts, part: 0, request.Seed, request.Examples);
        return new ShardBuildResult(counts, files.Sum(file => new FileInfo(file).Length), rejected, samples);
    }

    private void Work()
    {
        var packer = new DocumentPacker(request.Vocabulary, request.Examples, request.Seed);
        var cutter = new PlainTextCutter();
        var train = new ExampleBuffer(output.Train);
        var heldOut = new ExampleBuffer(output.HeldOut);
        try
        {
            while (chunks.Next() is { } chunk)
            {
                cancellationToken.ThrowIfCancellationRequested();
                List<string> rejects = Pack(chunk, cutter, packer, train, heldOut);
                turns.Take(chunk.Number, () => Write(train, heldOut, rejects));
                chunk.Dispose();
            }
        }
        catch
        {
            turns.Break();
            throw;
        }

        lock (totals)
        {
            documents += packer.Documents;
            tokens.Add(packer.Tokens);
        }
    }

    /// <summary>Packs the documents of a piece; returns those that are none, with file and place.</summary>
    private List<string> Pack(TextChunk chunk, PlainTextCutter cutter, DocumentPacker packer, ExampleBuffer train, ExampleBuffer heldOut)
    {
        var rejects = new List<string>();
        ExampleReceiver toTrain = train.Add, toHeldOut = heldOut.Add;
        ReadOnlySpan<byte> rest = chunk.Text.Span;
        long start = chunk.Offset;
        while (cutter.Next(ref rest))
        {
            if (cutter.Fault is { } fault)
            {
                rejects.Add($"{chunk.Source}, document from byte {start}: {fault}");
            }
            else if (!cutter.Text.IsEmpty)
            {
                packer.Pack(cutter.Text, tokenizer, toTrain, toHeldOut);
            }

            start = chunk.Offset + chunk.Text.Length - rest.Length;
        }

        return rejects;
    }

    private void Write(ExampleBuffer train, ExampleBuffer heldOut, List<string> rejects)
    {
        train.Flush();
        heldOut.Flush();
        rejected += rejects.Count;
        samples.AddRange(rejects.Take(SamplesKept - samples.Count));
    }

    private static IReadOnlyList<string> FilesOf(IReadOnlyList<string> inputs)
    {
        string[] files =
        [
            .. inputs.SelectMany(input => !Directory.Exists(input)
                ? (IEnumerable<string>)[input]
                : Directory.EnumerateFiles(input, "*.txt", SearchOption.AllDirectories).Order(StringComparer.Ordinal)),
        ];
        string? missing = files.FirstOrDefault(file => !File.Exists(file));
        return missing is not null ? throw new PermanentException(
            $"input not found: {missing}; name UTF-8 text files, or folders of .txt files")
            : files.Length == 0 ? throw new PermanentException($"no .txt file in {string.Join(", ", inputs)}")
            : files;
    }
}
