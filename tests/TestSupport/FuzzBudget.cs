namespace ElectraPipeline.TestSupport;

/// <summary>
/// How long tests with damaged or random input run: few cases from a fixed seed, so that everybody sees the same; more and others by
/// ELECTRA_FUZZ_CASES and ELECTRA_FUZZ_SEED in the environment.
/// </summary>
public static class FuzzBudget
{
    /// <summary>Cases of one target.</summary>
    /// <param name="usual">Unless the environment says otherwise.</param>
    public static int Cases(int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable("ELECTRA_FUZZ_CASES"), out int cases) ? cases : usual;

    /// <summary>The seed of all random draws.</summary>
    public static ulong Seed => ulong.TryParse(Environment.GetEnvironmentVariable("ELECTRA_FUZZ_SEED"), out ulong seed) ? seed : 20_260_101;
}
