using static TorchSharp.torch;

namespace ElectraPipeline.Training.Checkpoints.PyTorch;

/// <summary>Where the raw values of a PyTorch file lie.</summary>
internal interface IStorageReader : IDisposable
{
    /// <summary>All values of a storage, [elements], on the CPU; the caller disposes it.</summary>
    /// <exception cref="InvalidDataException">The file has no such storage, or it is damaged.</exception>
    Tensor Read(PickledStorage storage);
}
