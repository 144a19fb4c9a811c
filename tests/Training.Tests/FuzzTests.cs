using ElectraPipeline.Bench.Fuzzing;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.Training.Tests;

/// <summary>The first cases of every fuzz target, always the same ones; `bench -- fuzz` runs more.</summary>
public sealed class FuzzTests
{
    public static TheoryData<string> Targets => [.. FuzzTarget.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void NoCaseFails(string name)
    {
        using var folder = new TemporaryFolder();
        FuzzTarget target = FuzzTarget.All.Single(known => known.Name == name);
        for (int number = 0; number < 200; number++)
        {
            Exception? failure = Record.Exception(() => target.RunCase(seed: 20_261_124, number, folder.Path));
            Assert.True(failure is null, $"case {number}: {failure}");
        }
    }
}
