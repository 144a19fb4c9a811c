using System.Runtime.CompilerServices;

namespace ElectraPipeline.Training;

/// <summary>
/// A counter-based random generator: every draw is a function of (seed, stream, index), so nothing needs to be saved to resume.
/// </summary>
/// <remarks>The mixer is SplitMix64's finalizer (Steele, Lea, Flood 2014), applied to a Weyl sequence that (seed, stream)
/// selects.</remarks>
public struct CounterRandom
{
    private const ulong Golden = 0x9E3779B97F4A7C15UL;
    private readonly ulong key;
    private ulong index;

    /// <summary>Starts the stream of <paramref name="seed"/> that <paramref name="stream"/> names, at index 0.</summary>
    public CounterRandom(ulong seed, ulong stream)
    {
        key = Mix(seed + Golden) ^ Mix(Mix(stream - Golden) + Golden);
        index = 0;
    }

    /// <summary>Starts the stream that a pair of numbers names, for example (step, example).</summary>
    public CounterRandom(ulong seed, ulong first, ulong second)
        : this(seed, Mix(first + Golden) + (second * Golden)) { }

    /// <summary>The next 64 uniform bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong NextUInt64() => Mix(key + (++index * Golden));

    /// <summary>Uniform in [0, bound); bound &gt; 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Next(int bound) => (int)Math.BigMul(NextUInt64(), (ulong)bound, out _);

    /// <summary>Uniform in [0, 1) with 24 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float NextSingle() => (NextUInt64() >> 40) * (1f / (1 << 24));

    /// <summary>Uniform in [0, 1) with 53 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1L << 53));

    /// <summary>Standard normal (Box-Muller, one draw a call).</summary>
    public double NextNormal() => Math.Sqrt(-2 * Math.Log(1 - NextDouble())) * Math.Cos(2 * Math.PI * NextDouble());

    /// <summary>SplitMix64's finalizer: a bijection of 64-bit words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
