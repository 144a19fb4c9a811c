using ElectraPipeline.Training.Objective;
using TorchSharp;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>What a step comes to, which the device may still be computing.</summary>
/// <param name="step">The step.</param>
/// <param name="sums">Its micro-batches' sums, which this owns.</param>
/// <param name="scale">Factors of both losses.</param>
/// <param name="learningRate">The step's learning rate.</param>
/// <param name="norm">The gradient's norm, float64 [], which this owns.</param>
internal sealed class PendingStep(long step, PendingSums[] sums, LossScale scale, double learningRate, Tensor norm) : IDisposable
{
    private StepMetrics? read;

    /// <summary>The figures; waits for the device.</summary>
    public StepMetrics Read() => read ??= ReadNow();

    /// <inheritdoc/>
    public void Dispose()
    {
        Array.ForEach(sums, part => part.Dispose());
        norm.Dispose();
    }

    private StepMetrics ReadNow()
    {
        ObjectiveSums total = sums.Select(part => part.Read()).Aggregate((all, part) => all + part);
        double loss = (total.GeneratorLoss * scale.Generator) + (total.MainLoss * scale.Main);
        return new StepMetrics(step, total, loss, learningRate, norm.ToDouble());
    }
}
