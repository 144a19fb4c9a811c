using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Objective;

/// <summary>
/// The sums of a micro-batch while the device may still be computing them: what the host has counted, and the rest as one tensor there.
/// </summary>
internal sealed class PendingSums : IDisposable
{
    private readonly ObjectiveSums counted;

    private PendingSums(ObjectiveSums counted, Tensor values) => (this.counted, Values) = (counted, values);

    /// <summary>Generator loss, tokens it got right, main loss, tokens the main model got right, tokens replaced: float64 [5].</summary>
    public Tensor Values { get; }

    /// <summary>Collects scalars of any type on one device; null counts as 0.</summary>
    public static PendingSums Of(ObjectiveSums counted, MainLoss main, LanguageModelLoss? generator = null, Tensor? replaced = null)
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor nothing = zeros(1, ScalarType.Float64, main.Sum.device).squeeze(0);
        Tensor?[] scalars = [generator?.Sum, generator?.Correct, main.Sum, main.Correct, replaced];
        Tensor[] values = Array.ConvertAll(scalars, scalar => scalar?.to(ScalarType.Float64) ?? nothing);
        return new PendingSums(counted, stack(values).DetachFromDisposeScope());
    }

    /// <summary>Waits for the device. Together with the optimizer's norm this is all that the host reads of a training step.</summary>
    public ObjectiveSums Read()
    {
        using Tensor here = Values.cpu();
        ReadOnlySpan<double> values = MemoryMarshal.Cast<byte, double>(here.bytes);
        return counted with
        {
            GeneratorLoss = values[0],
            GeneratorCorrect = (int)values[1],
            MainLoss = values[2],
            MainCorrect = (int)values[3],
            Replaced = (int)values[4],
        };
    }

    /// <inheritdoc/>
    public void Dispose() => Values.Dispose();
}
