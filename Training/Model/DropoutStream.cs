using System.Numerics;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Model;

/// <summary>
/// Dropout whose masks are a function of (seed, step, part of the batch, call), so that nothing of it is saved to resume.
/// </summary>
/// <remarks>
/// On the CPU it replaces LibTorch's, whose one generator is shared by all threads (replicas would disturb each other) and serial.
/// On other devices LibTorch's own is used, seeded before each call.
/// </remarks>
internal sealed class DropoutStream(ulong seed, ulong step, ulong part)
{
    private readonly ulong key = CounterRandom.Mix(seed + CounterRandom.Mix(step + CounterRandom.Mix(part)));
    private ulong calls;

    /// <summary>A place in the stream to come back to with <see cref="Rewind"/>.</summary>
    public ulong Mark() => calls;

    /// <summary>Goes back: the calls that followed the mark are drawn again.</summary>
    public void Rewind(ulong mark) => calls = mark;

    /// <summary>Zeroes elements of <paramref name="input"/> with probability <paramref name="rate"/> and scales the others up.</summary>
    public Tensor Apply(Tensor input, double rate)
    {
        if (rate == 0)
        {
            return input;
        }

        if (input.device_type != DeviceType.CPU)
        {
            SeedDevice();
            return nn.functional.dropout(input, rate, training: true);
        }

        Tensor mask = empty(input.shape);
        Fill(MemoryMarshal.Cast<byte, uint>(mask.bytes), CounterRandom.Mix(key + ++calls), rate);
        return input * mask;
    }

    /// <summary>Seeds LibTorch's generator for a dropout that one of its own kernels draws: the stream's next call.</summary>
    public void SeedDevice() => manual_seed((long)(CounterRandom.Mix(key + ++calls) >> 1));

    /// <summary>Writes 0 or 1 / (1 - rate) as float bits, from one hash (murmur3's 32-bit finalizer) of each element's index.</summary>
    private static void Fill(Span<uint> mask, ulong callKey, double rate)
    {
        uint keep = BitConverter.SingleToUInt32Bits((float)(1 / (1 - rate)));
        uint threshold = (uint)(rate * uint.MaxValue);
        uint low = (uint)callKey,
            high = (uint)(callKey >> 32) | 1;
        int width = Vector<uint>.Count,
            i = 0;
        for (; i <= mask.Length - width; i += width)
        {
            Vector<uint> hash = Vector.CreateSequence((uint)i, 1u) * new Vector<uint>(high) + new Vector<uint>(low);
            hash = (hash ^ (hash >>> 16)) * new Vector<uint>(0x85EBCA6B);
            hash = (hash ^ (hash >>> 13)) * new Vector<uint>(0xC2B2AE35);
            hash ^= hash >>> 16;
            Vector<uint> kept = Vector.GreaterThanOrEqual(hash, new Vector<uint>(threshold));
            (kept & new Vector<uint>(keep)).CopyTo(mask[i..]);
        }

        for (; i < mask.Length; i++)
        {
            uint hash = (uint)i * high + low;
            hash = (hash ^ (hash >> 16)) * 0x85EBCA6B;
            hash = (hash ^ (hash >> 13)) * 0xC2B2AE35;
            hash ^= hash >> 16;
            mask[i] = hash >= threshold ? keep : 0;
        }
    }
}
