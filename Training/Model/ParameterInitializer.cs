using System.IO.Hashing;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Model;

/// <summary>First values of the parameters, each drawn from a stream that its name selects.</summary>
/// <remarks>
/// "normal" is the official code's: truncated normal (two standard deviations) everywhere, Glorot uniform where that code leaves
/// TensorFlow's default. "scaled" keeps the variance of activations whatever the width: Glorot uniform for dense layers; words, segments
/// and positions (sinusoids, Vaswani et al. 2017, section 3.5) of one size, so that the layer norm after their sum drowns neither and
/// attention can use positions from the first step; the detector's last weight zero, so that it starts undecided.
/// </remarks>
internal static class ParameterInitializer
{
    private const double ScaledEmbeddingSize = 0.05;

    /// <summary>Fills all parameters of a store.</summary>
    public static void Initialize(ParameterStore store, ElectraConfig config, ulong seed)
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        foreach (ParameterSlot slot in store.Layout.Slots)
        {
            float[] values = Draw(slot, config, seed);
            store.Value(slot.Name).copy_(tensor(values, [.. slot.Shape]));
        }
    }

    private static float[] Draw(ParameterSlot slot, ElectraConfig config, ulong seed)
    {
        var values = new float[slot.Length];
        ulong stream = XxHash3.HashToUInt64(MemoryMarshal.AsBytes<char>(slot.Name));
        var random = new CounterRandom(RandomPurpose.SeedFor(seed, RandomPurpose.Initialization), stream);
        bool scaled = config.Initialization == "scaled";
        switch (slot.Initial)
        {
            case InitialValue.Zero:
            case InitialValue.DetectionWeight when scaled:
                break;
            case InitialValue.One:
                Array.Fill(values, 1f);
                break;
            case InitialValue.GlorotWeight:
            case InitialValue.DetectionWeight:
            case InitialValue.Weight when scaled:
                GlorotUniform(values, slot, ref random);
                break;
            case InitialValue.Position when scaled:
                Sinusoids(values, (int)slot.Shape[1]);
                break;
            case InitialValue.Embedding when scaled:
                TruncatedNormal(values, ScaledEmbeddingSize, ref random);
                break;
            default:
                TruncatedNormal(values, config.InitializerRange, ref random);
                break;
        }

        return values;
    }

    private static void TruncatedNormal(float[] values, double deviation, ref CounterRandom random)
    {
        for (int i = 0; i < values.Length; i++)
        {
            double draw;
            do
            {
                draw = random.NextNormal();
            } while (Math.Abs(draw) > 2);
            values[i] = (float)(draw * deviation);
        }
    }

    private static void GlorotUniform(float[] values, ParameterSlot slot, ref CounterRandom random)
    {
        double limit = Math.Sqrt(6.0 / (slot.Shape[0] + slot.Shape[1]));
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)((2 * random.NextDouble() - 1) * limit);
        }
    }

    private static void Sinusoids(float[] values, int width)
    {
        for (int i = 0; i < values.Length; i++)
        {
            int position = i / width,
                dimension = i % width;
            double angle = position / Math.Pow(10_000, (dimension & ~1) / (double)width);
            values[i] = (float)(ScaledEmbeddingSize * ((dimension & 1) == 0 ? Math.Sin(angle) : Math.Cos(angle)));
        }
    }
}
