using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Verification;
using TorchSharp;
using Xunit;

namespace ElectraPipeline.Training.Tests.Model;

public sealed class GoldenVerificationTests
{
    public GoldenVerificationTests() => torch.set_num_threads(1);

    [Fact]
    public void Hidden_states_and_logits_equal_the_reference()
    {
        List<GoldenDifference> differences = GoldenVerification.Forward(SharedData.Require("golden/electra-tiny"));
        Assert.Equal(6, differences.Count);
        Assert.All(differences, difference => Assert.True(difference.Passed, difference.ToString()));
    }

    [Fact]
    public void Ten_training_steps_equal_the_reference()
    {
        List<GoldenDifference> differences = GoldenTraining.Run(SharedData.Require("golden/electra-tiny"));
        Assert.True(differences.Count > (10 * 7) + (2 * 100), $"{differences.Count} comparisons");
        Assert.All(differences, difference => Assert.True(difference.Passed, difference.ToString()));
        double worst = differences.Where(difference => difference.Name.Contains("final", StringComparison.Ordinal)).Max(difference => difference.Difference);
        TestContext.Current.TestOutputHelper?.WriteLine($"largest difference of a final parameter: {worst}");
    }
}
