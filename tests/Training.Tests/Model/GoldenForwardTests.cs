using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Verification;
using Xunit;

namespace ElectraPipeline.Training.Tests.Model;

public sealed class GoldenForwardTests
{
    [Fact]
    public void Hidden_states_and_logits_equal_the_reference()
    {
        TorchSharp.torch.set_num_threads(1);
        List<GoldenDifference> differences = GoldenVerification.Forward(SharedData.Require("golden/electra-tiny"));
        Assert.Equal(6, differences.Count);
        Assert.All(differences, difference => Assert.True(difference.Passed, difference.ToString()));
    }
}
