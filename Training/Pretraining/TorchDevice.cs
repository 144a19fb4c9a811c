using static TorchSharp.torch;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>Which processor LibTorch computes on.</summary>
internal static class TorchDevice
{
    /// <summary>The device of an option: "cpu", "cuda", or "auto" for CUDA where there is one.</summary>
    /// <exception cref="PermanentException">The name is unknown, or CUDA is asked for and not there.</exception>
    public static Device Resolve(string name) =>
        name switch
        {
            "cpu" => CPU,
            "auto" => cuda.is_available() ? CUDA : CPU,
            "cuda" when cuda.is_available() => CUDA,
            "cuda" => throw new PermanentException(
                "device is \"cuda\" but LibTorch finds no CUDA device: build with -p:TorchDevice=cuda on a machine "
                    + "that has one, or use \"cpu\""
            ),
            _ => throw new PermanentException($"device is \"{name}\"; use \"auto\", \"cpu\" or \"cuda\""),
        };
}
