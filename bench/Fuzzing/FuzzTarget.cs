using ElectraPipeline.Training;

namespace ElectraPipeline.Bench.Fuzzing;

/// <summary>
/// Something that must hold for whatever comes in. A case is a function of seed and number, so that one that failed can be run again.
/// </summary>
/// <param name="Name">For the command line.</param>
/// <param name="Run">Runs a case in a folder of its own; throws where something does not hold.</param>
internal sealed record FuzzTarget(string Name, Action<CounterRandom, string> Run)
{
    /// <summary>All targets.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("tokenizer", TokenizerFuzzing.Run),
        new("vocabulary-file", FileFuzzing.VocabularyFile),
        new("shard", FileFuzzing.Shard),
        new("megatron-index", FileFuzzing.MegatronIndex),
    ];

    /// <summary>Runs a case of this target.</summary>
    public void RunCase(ulong seed, long number, string folder) => Run(new CounterRandom(seed, (ulong)number), folder);
}
