using static TorchSharp.torch;

namespace ElectraPipeline.Training.Checkpoints;

/// <summary>Type and shape of a tensor in a file, under the name that the file gives it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its element type in the words of its format, for people: "F32", "DT_FLOAT", "torch.FloatStorage".</param>
/// <param name="Shape">Its shape; empty for a single number.</param>
public sealed record StoredTensor(string Name, string Type, IReadOnlyList<long> Shape);

/// <summary>Named tensors in files of some format, each read when it is asked for.</summary>
internal interface ITensorSource : IDisposable
{
    /// <summary>The file or prefix of files, for messages.</summary>
    string Path { get; }

    /// <summary>All files that the tensors come from, for digests.</summary>
    IReadOnlyList<string> Files { get; }

    /// <summary>The tensors' names in the order of the format.</summary>
    IReadOnlyList<string> Names { get; }

    /// <summary>Whether there is a tensor of that name.</summary>
    bool Contains(string name);

    /// <summary>Type and shape of a tensor.</summary>
    /// <exception cref="PermanentException">There is no such tensor.</exception>
    StoredTensor Describe(string name);

    /// <summary>The tensor on the CPU, in its stored type; the caller disposes it.</summary>
    /// <exception cref="PermanentException">There is no such tensor, or the file is damaged.</exception>
    Tensor Read(string name);
}
