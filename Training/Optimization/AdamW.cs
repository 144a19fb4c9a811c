using System.Runtime.InteropServices;
using ElectraPipeline.Training.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Optimization;

/// <summary>Runs work for the indices 0 to count - 1, in any order and on any threads.</summary>
internal delegate void BlockRunner(int count, Action<int> work);

/// <summary>Adam's constants.</summary>
internal sealed record AdamOptions(double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-6, double ClipNorm = 1.0);

/// <summary>
/// The official code's optimizer: Adam without bias correction, epsilon outside the root, decoupled weight decay, one global gradient clip.
/// </summary>
/// <remarks>
/// On the CPU a step is two passes over flat memory: one sums the replicas' gradients in replica order and measures the norm, one clips,
/// updates and clears. Both work on fixed blocks, so that the number of threads does not change a bit of the result.
/// </remarks>
internal sealed class AdamW : IDisposable
{
    private const long BlockLength = 1 << 16;
    private readonly IReadOnlyList<ParameterStore> replicas;
    private readonly ParameterGroup[] blocks;
    private readonly AdamOptions options;
    private readonly bool onCpu;
    private readonly double[] squares;

    /// <summary>Starts with moments of zero.</summary>
    /// <param name="replicas">Stores that share their values; the first one's gradients receive the sum.</param>
    /// <param name="groups">Disjoint stretches of the flat buffer, together all parameters.</param>
    /// <param name="options">Adam's constants.</param>
    public AdamW(IReadOnlyList<ParameterStore> replicas, IReadOnlyList<ParameterGroup> groups, AdamOptions options)
    {
        this.replicas = replicas;
        this.options = options;
        onCpu = Values.device_type == DeviceType.CPU;
        blocks = [.. groups.SelectMany(group => onCpu ? Split(group) : [group])];
        squares = new double[blocks.Length];
        FirstMoments = zeros_like(Values).DetachFromDisposeScope();
        SecondMoments = zeros_like(Values).DetachFromDisposeScope();
    }

    /// <summary>Adam's first moments, laid out as the parameters.</summary>
    public Tensor FirstMoments { get; }

    /// <summary>Adam's second moments, laid out as the parameters.</summary>
    public Tensor SecondMoments { get; }

    private Tensor Values => replicas[0].Values;

    private Tensor Gradients => replicas[0].Gradients;

    /// <summary>Sums the replicas' gradients, in their order, into the first one's; clears the others. Returns the global norm.</summary>
    public double Reduce(BlockRunner run)
    {
        run(blocks.Length, index =>
        {
            using var scope = NewDisposeScope();
            using IDisposable noGrad = no_grad();
            squares[index] = onCpu ? ReduceBlock(blocks[index]) : Part(Gradients, blocks[index]).square().sum(ScalarType.Float64).ToDouble();
        });
        return Math.Sqrt(squares.Sum());
    }

    /// <summary>One update from the summed gradients, whose norm <see cref="Reduce"/> returned, and clears them.</summary>
    public void Step(double learningRate, double norm, BlockRunner run)
    {
        double clip = norm > options.ClipNorm ? options.ClipNorm / norm : 1;
        run(blocks.Length, index =>
        {
            using var scope = NewDisposeScope();
            using IDisposable noGrad = no_grad();
            ParameterGroup block = blocks[index];
            double rate = learningRate * block.LearningRateScale;
            if (onCpu)
            {
                AdamKernel.Update(
                    Floats(Values, block), Floats(Gradients, block), Floats(FirstMoments, block), Floats(SecondMoments, block),
                    options, (float)rate, (float)block.WeightDecay, (float)clip);
            }
            else
            {
                UpdateOnDevice(block, rate, clip);
            }
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        FirstMoments.Dispose();
        SecondMoments.Dispose();
    }

    private static IEnumerable<ParameterGroup> Split(ParameterGroup group)
    {
        for (long start = 0; start < group.Length; start += BlockLength)
        {
            yield return group with { Offset = group.Offset + start, Length = Math.Min(BlockLength, group.Length - start) };
        }
    }

    private static Tensor Part(Tensor flat, ParameterGroup block) => flat.narrow(0, block.Offset, block.Length);

    private static Span<float> Floats(Tensor flat, ParameterGroup block) =>
        MemoryMarshal.Cast<byte, float>(Part(flat, block).bytes);

    private double ReduceBlock(ParameterGroup block)
    {
        Span<float> sum = Floats(Gradients, block);
        foreach (ParameterStore replica in replicas.Skip(1))
        {
            AdamKernel.MoveInto(sum, Floats(replica.Gradients, block));
        }

        return AdamKernel.SumOfSquares(sum);
    }

    private void UpdateOnDevice(ParameterGroup block, double rate, double clip)
    {
        Tensor gradient = Part(Gradients, block), first = Part(FirstMoments, block), second = Part(SecondMoments, block);
        Tensor values = Part(Values, block);
        gradient.TimesInPlace(clip);
        first.TimesInPlace(options.Beta1).PlusInPlace(gradient, 1 - options.Beta1);
        second.TimesInPlace(options.Beta2).PlusInPlace(gradient.square(), 1 - options.Beta2);
        Tensor update = first / second.sqrt().Plus(options.Epsilon);
        update.PlusInPlace(values, block.WeightDecay);
        values.PlusInPlace(update, -rate);
        gradient.zero_();
    }
}
