using ElectraPipeline.Training.Pretraining;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Pretraining;

/// <summary>Counts what the whole process holds, so that no other test may run meanwhile.</summary>
[CollectionDefinition(nameof(PretrainingMemoryTests), DisableParallelization = true)]
[Collection(nameof(PretrainingMemoryTests))]
public sealed class PretrainingMemoryTests
{
    public PretrainingMemoryTests() => set_num_threads(1);

    [Fact]
    public void Memory_stays_flat_over_steps()
    {
        PretrainOptions options = TinyPretraining.Options(replicas: 2) with { Steps = 1_000 };
        using Pretrainer trainer = TinyPretraining.Trainer(options, TinyPretraining.Config(dropout: 0.1));
        TinyPretraining.Train(trainer, 50);

        // First the bytes, which collects: what earlier tests left must not be finalized, and counted down, while this one trains.
        long bytes = ResidentBytes();
        long tensors = Tensor.TotalCount;
        TinyPretraining.Train(trainer, 300);
        Assert.Equal(tensors, Tensor.TotalCount);
        Assert.InRange(ResidentBytes() - bytes, long.MinValue, 30 << 20); // one leaked activation a step would be 80 MB
    }

    private static long ResidentBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
