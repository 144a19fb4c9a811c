using TorchSharp;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Model;

/// <summary>Arithmetic with numbers that are held until the native call is over.</summary>
/// <remarks>
/// TorchSharp wraps a number in a <see cref="Scalar"/> with a finalizer and hands its bare address on: where nobody refers to the wrapper
/// any more, a collection on another thread may free it while native code still reads it. The call then fails
/// ("Expected false to be true" in Scalar::toFloat), or computes with another number. Even a + b has such a number, the 1 that b is
/// multiplied by. It was seen on a machine with more threads than cores. What training computes goes through these methods.
/// </remarks>
internal static class KeptScalars
{
    private static readonly Scalar One = 1;

    /// <summary>a + b.</summary>
    public static Tensor Plus(this Tensor a, Tensor b) => a.add(b, One);

    /// <summary>Adds values [K] to the elements at some indices [K] of a, into a.</summary>
    public static Tensor AddAt(this Tensor a, Tensor indices, Tensor values) => a.index_add_(0, indices, values, One);

    /// <summary>a + number.</summary>
    public static Tensor Plus(this Tensor a, double number)
    {
        using Scalar kept = number;
        return a.add(kept);
    }

    /// <summary>a + b * factor, into a.</summary>
    public static Tensor PlusInPlace(this Tensor a, Tensor b, double factor)
    {
        using Scalar kept = factor;
        return a.add_(b, kept);
    }

    /// <summary>a * factor.</summary>
    public static Tensor Times(this Tensor a, double factor)
    {
        using Scalar kept = factor;
        return a.mul(kept);
    }

    /// <summary>a * factor, into a.</summary>
    public static Tensor TimesInPlace(this Tensor a, double factor)
    {
        using Scalar kept = factor;
        return a.mul_(kept);
    }

    /// <summary>A float32 tensor of one value.</summary>
    public static Tensor Filled(long[] shape, double value, Device device)
    {
        using Scalar kept = value;
        return full(shape, kept, ScalarType.Float32, device);
    }
}
