using ElectraPipeline.Training.Objective;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>A step's batch, masked, cut into micro-batches and on its way to the device.</summary>
/// <param name="Step">The step.</param>
/// <param name="Scale">Factors of both losses.</param>
/// <param name="Parts">The micro-batches with what draws their replacements.</param>
internal sealed record PreparedStep(long Step, LossScale Scale, (DeviceBatch Batch, ITokenSampler Sampler)[] Parts) : IDisposable
{
    /// <summary>Releases the tensors; a device that still reads them is not disturbed.</summary>
    public void Dispose()
    {
        foreach ((DeviceBatch batch, _) in Parts)
        {
            batch.Dispose();
        }
    }
}
