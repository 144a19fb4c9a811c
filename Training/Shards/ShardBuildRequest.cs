using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Shards;

/// <summary>Shards to build straight from text files.</summary>
public sealed record ShardBuildRequest
{
    /// <summary>UTF-8 text files, and folders whose .txt files are taken, those below included. A blank line ends a document.</summary>
    public required IReadOnlyList<string> Inputs { get; init; }

    /// <summary>The vocabulary.</summary>
    public required Vocabulary Vocabulary { get; init; }

    /// <summary>How text becomes words.</summary>
    public TokenizerOptions Tokenizer { get; init; } = new();

    /// <summary>How documents become examples.</summary>
    public ExampleOptions Examples { get; init; } = new();

    /// <summary>Seed of the draws.</summary>
    public ulong Seed { get; init; } = 42;

    /// <summary>The shard folder to make.</summary>
    public required string OutputFolder { get; init; }

    /// <summary>Threads; they do not change the result.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}

/// <summary>What became of the text.</summary>
/// <param name="Counts">Documents, tokens and examples.</param>
/// <param name="Bytes">Bytes of the files.</param>
/// <param name="Rejected">Documents left out.</param>
/// <param name="RejectSamples">The first of them: file, place, reason.</param>
public sealed record ShardBuildResult(TokenizeResult Counts, long Bytes, long Rejected, IReadOnlyList<string> RejectSamples);
