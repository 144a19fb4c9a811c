using ElectraPipeline.Training.Model;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Objective;

/// <summary>A masked batch, and the tensors that objectives need of it on the device.</summary>
internal sealed class DeviceBatch : IDisposable
{
    /// <summary>Copies the batch; the tensors belong to the caller's dispose scope until <see cref="Detach"/>.</summary>
    public DeviceBatch(MaskedBatch batch, Device device)
    {
        Host = batch;
        Masked = EncoderInput.Create(batch.MaskedIds, batch.Lengths, batch.SecondSegments, device);
        OriginalIds = Upload.Longs(batch.OriginalIds, device);
        Positions = Upload.Longs(batch.Positions, device);
        Labels = Upload.Longs(batch.Labels(), device);
        Real = Upload.Floats(batch.OneAt(batch.RealPositions()), device);
    }

    /// <summary>The batch as the host knows it.</summary>
    public MaskedBatch Host { get; }

    /// <summary>What the generator reads.</summary>
    public EncoderInput Masked { get; }

    /// <summary>Token ids of the text, int64 [B * L].</summary>
    public Tensor OriginalIds { get; }

    /// <summary>The masked positions as indices into [B * L], int64 [K].</summary>
    public Tensor Positions { get; }

    /// <summary>Their original tokens, int64 [K].</summary>
    public Tensor Labels { get; }

    /// <summary>1 at real tokens, 0 at padding, float32 [B * L].</summary>
    public Tensor Real { get; }

    /// <summary>Takes the tensors out of their dispose scope: they live until <see cref="Dispose"/>.</summary>
    public DeviceBatch Detach()
    {
        foreach (Tensor tensor in Tensors())
        {
            tensor.DetachFromDisposeScope();
        }

        return this;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in Tensors())
        {
            tensor.Dispose();
        }
    }

    private IEnumerable<Tensor> Tensors()
    {
        Tensor[] own = [Masked.Ids, Masked.Types, OriginalIds, Positions, Labels, Real];
        return Masked.AttentionBias is { } bias ? own.Append(bias) : own;
    }
}
