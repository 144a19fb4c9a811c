namespace ElectraPipeline.Training;

/// <summary>
/// What a random stream is for, so that one seed serves draws that must not repeat each other. Values are part of results.
/// </summary>
internal static class RandomPurpose
{
    /// <summary>First values of parameters.</summary>
    public const ulong Initialization = 0x1001;

    /// <summary>Masked positions.</summary>
    public const ulong Masking = 0x1002;

    /// <summary>Tokens drawn from the generator.</summary>
    public const ulong Replacement = 0x1003;

    /// <summary>Dropout.</summary>
    public const ulong Dropout = 0x1004;

    /// <summary>Segments and lengths of pre-training examples.</summary>
    public const ulong Segments = 0x1010;

    /// <summary>Order of pre-training examples in an epoch.</summary>
    public const ulong ShardOrder = 0x1011;

    /// <summary>Which dataset of a mixture an example is drawn from.</summary>
    public const ulong Mixture = 0x1012;

    /// <summary>Labelled examples chosen where there are more than are wanted.</summary>
    public const ulong ExampleSelection = 0x1005;

    /// <summary>The order of labelled examples.</summary>
    public const ulong ExampleOrder = 0x1006;

    /// <summary>One of several trainings under one run's seed.</summary>
    public const ulong Training = 0x1007;

    /// <summary>Which part of a long example a phase of short sequences takes.</summary>
    public const ulong Windows = 0x1008;

    /// <summary>A seed for one purpose.</summary>
    public static ulong SeedFor(ulong seed, ulong purpose) => CounterRandom.Mix(seed ^ CounterRandom.Mix(purpose));
}
