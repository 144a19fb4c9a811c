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

    /// <summary>Pieces that may be done before an earlier one.</summary>
    private const int PiecesAhead = 16;

    private readonly ShardBuildRequest request;
    private readonly WordPieceTokenizer tokenizer;
    private readonly TextChunks chunks;
    private readonly ShardFolderWriter output;
    private readonly CancellationToken cancellationToken;
    private readonly Lock totals = new();
    private readonly OrderedOutput<Piece> pieces;
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
        pieces = new OrderedOutput<Piece>(
            () => new Piece(new ExampleBuffer(output.Train), new ExampleBuffer(output.HeldOut)),
            Write,
            PiecesAhead
        );
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
                $"no document in {files.Count} file(s), the first {files[0]} ({rejected} rejected); put text there or name other files"
            );
        }

        TokenizeResult counts = tokens.AddTo(new TokenizeResult(documents, 0, 0, 0, 0, 0));
        counts = output.Commit(counts, part: 0, request.Seed, request.Examples);
        return new ShardBuildResult(counts, files.Sum(file => new FileInfo(file).Length), rejected, samples);
    }

    private void Work()
    {
        var packer = new DocumentPacker(request.Vocabulary, request.Examples, request.Seed);
        var cutter = new PlainTextCutter();
        pieces.Work(chunks.Next, (TextChunk chunk, Piece piece) => Pack(chunk, cutter, packer, piece), cancellationToken);
        lock (totals)
        {
            documents += packer.Documents;
            tokens.Add(packer.Tokens);
        }
    }

    /// <summary>Packs the documents of a chunk; those that are none are told with file and place.</summary>
    private void Pack(TextChunk chunk, PlainTextCutter cutter, DocumentPacker packer, Piece piece)
    {
        ExampleReceiver toTrain = piece.Train.Add,
            toHeldOut = piece.HeldOut.Add;
        ReadOnlySpan<byte> rest = chunk.Text.Span;
        long start = chunk.Offset;
        while (cutter.Next(ref rest))
        {
            if (cutter.Fault is { } fault)
            {
                piece.Rejects.Add($"{chunk.Source}, document from byte {start}: {fault}");
            }
            else if (!cutter.Text.IsEmpty)
            {
                packer.Pack(cutter.Text, tokenizer, toTrain, toHeldOut);
            }

            start = chunk.Offset + chunk.Text.Length - rest.Length;
        }
    }

    private void Write(Piece piece)
    {
        piece.Train.Flush();
        piece.HeldOut.Flush();
        rejected += piece.Rejects.Count;
        samples.AddRange(piece.Rejects.Take(SamplesKept - samples.Count));
        piece.Rejects.Clear();
    }

    private static IReadOnlyList<string> FilesOf(IReadOnlyList<string> inputs)
    {
        string[] files =
        [
            .. inputs.SelectMany(input =>
                !Directory.Exists(input)
                    ? (IEnumerable<string>)[input]
                    : Directory.EnumerateFiles(input, "*.txt", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            ),
        ];
        string? missing = files.FirstOrDefault(file => !File.Exists(file));
        return missing is not null
                ? throw new PermanentException($"input not found: {missing}; name UTF-8 text files, or folders of .txt files")
            : files.Length == 0 ? throw new PermanentException($"no .txt file in {string.Join(", ", inputs)}")
            : files;
    }

    /// <summary>What is made of a chunk.</summary>
    private sealed record Piece(ExampleBuffer Train, ExampleBuffer HeldOut)
    {
        public List<string> Rejects { get; } = [];
    }
}
