using TorchSharp;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Model;

/// <summary>Brings what the host computed to the device without waiting for what the device is doing.</summary>
internal static class Upload
{
    /// <summary>Whole numbers, int64 there.</summary>
    public static Tensor Longs(ReadOnlySpan<int> values, Device device)
    {
        var longs = new long[values.Length];
        for (int i = 0; i < longs.Length; i++)
        {
            longs[i] = values[i];
        }

        return Send(tensor(longs), device);
    }

    /// <summary>float32 numbers.</summary>
    public static Tensor Floats(float[] values, Device device) => Send(tensor(values), device);

    /// <summary>float64 numbers.</summary>
    public static Tensor Doubles(double[] values, Device device) => Send(tensor(values), device);

    /// <remarks>
    /// A copy from pageable memory would wait until the device has done all it was given. LibTorch keeps pinned memory until the copy from
    /// it is over, whoever disposes of the tensor.
    /// </remarks>
    private static Tensor Send(Tensor host, Device device)
    {
        if (device.type == DeviceType.CPU)
        {
            return host;
        }

        using Tensor made = host;
        if (device.type != DeviceType.CUDA)
        {
            return made.to(device);
        }

        using Tensor pinned = made.pin_memory();
        return pinned.to(device, non_blocking: true);
    }
}
