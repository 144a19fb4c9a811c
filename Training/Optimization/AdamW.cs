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
/// updates and clears. Both work on fixed blocks, so that the number of threads does not change a bit of the result. On other devices the
/// norm stays there, and whether the gradient is finite too: the host never waits for either.
/// </remarks>
internal sealed class AdamW : IDisposable
{
    private const long BlockLength = 1 << 16;
    private readonly IReadOnlyList<ParameterStore> replicas;
    private readonly ParameterGroup[] blocks;
    private readonly AdamOptions options;
    private readonly double[] squares;

    /// <summary>Starts with moments of zero.</summary>
    /// <param name="replicas">Stores that share their values; the first one's gradients receive the sum.</param>
    /// <param name="groups">Disjoint stretches of the flat buffer, together all parameters.</param>
    /// <param name="options">Adam's constants.</param>
    /// <param name="onHost">Whether to work on the host's memory; false takes the other devices' way on the CPU too.</param>
    public AdamW(IReadOnlyList<ParameterStore> replicas, IReadOnlyList<ParameterGroup> groups, AdamOptions options, bool onHost = true)
    {
        this.replicas = replicas;
        this.options = options;
        IsOnHost = onHost && Values.device_type == DeviceType.CPU;
        blocks = [.. groups.SelectMany(group => IsOnHost ? Split(group) : [group])];
        squares = new double[blocks.Length];
        FirstMoments = zeros_like(Values).DetachFromDisposeScope();
        SecondMoments = zeros_like(Values).DetachFromDisposeScope();
    }

    /// <summary>Whether it works on the host's memory, where a figure can be looked at without waiting.</summary>
    public bool IsOnHost { get; }

    /// <summary>Adam's first moments, laid out as the parameters.</summary>
    public Tensor FirstMoments { get; }

    /// <summary>Adam's second moments, laid out as the parameters.</summary>
    public Tensor SecondMoments { get; }

    private Tensor Values => replicas[0].Values;

    private Tensor Gradients => replicas[0].Gradients;

    /// <summary>The runner of those who have one thread.</summary>
    public static void InTurn(int count, Action<int> work)
    {
        for (int i = 0; i < count; i++)
        {
            work(i);
        }
    }

    /// <summary>Sums the replicas' gradients, in their order, into the first one's; clears the others. Returns the global norm.</summary>
    public double Reduce(BlockRunner run)
    {
        if (!IsOnHost)
        {
            using Tensor norm = ReduceOnDevice();
            return norm.ToDouble();
        }

        run(
            blocks.Length,
            index =>
            {
                using var scope = NewDisposeScope();
                squares[index] = ReduceBlock(blocks[index]);
            }
        );
        return Math.Sqrt(squares.Sum());
    }

    /// <summary>One update from the summed gradients, whose norm <see cref="Reduce"/> returned, and clears them.</summary>
    public void Step(double learningRate, double norm, BlockRunner run)
    {
        if (!IsOnHost)
        {
            using var scope = NewDisposeScope();
            StepOnDevice(learningRate, tensor(norm, device: Values.device), tensor(true, device: Values.device));
            return;
        }

        double clip = norm > options.ClipNorm ? options.ClipNorm / norm : 1;
        run(
            blocks.Length,
            index =>
            {
                using var scope = NewDisposeScope();
                ParameterGroup block = blocks[index];
                AdamKernel.Update(
                    Floats(Values, block),
                    Floats(Gradients, block),
                    Floats(FirstMoments, block),
                    Floats(SecondMoments, block),
                    options,
                    (float)(learningRate * block.LearningRateScale),
                    (float)block.WeightDecay,
                    (float)clip
                );
            }
        );
    }

    /// <summary><see cref="Reduce"/> without waiting: the norm, float64 [], of the caller's dispose scope.</summary>
    public Tensor ReduceOnDevice()
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        foreach (ParameterStore replica in replicas.Skip(1))
        {
            Gradients.PlusInPlace(replica.Gradients, 1);
            replica.Gradients.zero_();
        }

        return Gradients.square().sum(ScalarType.Float64).sqrt().MoveToOuterDisposeScope();
    }

    /// <summary><see cref="Step"/> without waiting.</summary>
    /// <param name="learningRate">The step's learning rate.</param>
    /// <param name="norm">The norm of <see cref="ReduceOnDevice"/>.</param>
    /// <param name="healthy">Bool []: where it is false, parameters and moments stay as they are.</param>
    public void StepOnDevice(double learningRate, Tensor norm, Tensor healthy)
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor norms = norm.to(ScalarType.Float32),
            one = ones_like(norms);
        Tensor clip = KeptScalars.Filled([1], options.ClipNorm, Values.device).div(norms).minimum(one);
        foreach (ParameterGroup block in blocks)
        {
            UpdateOnDevice(block, learningRate * block.LearningRateScale, clip, healthy);
        }
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
            yield return group with
            {
                Offset = group.Offset + start,
                Length = Math.Min(BlockLength, group.Length - start),
            };
        }
    }

    private static Tensor Part(Tensor flat, ParameterGroup block) => flat.narrow(0, block.Offset, block.Length);

    private static Span<float> Floats(Tensor flat, ParameterGroup block) => MemoryMarshal.Cast<byte, float>(Part(flat, block).bytes);

    private double ReduceBlock(ParameterGroup block)
    {
        Span<float> sum = Floats(Gradients, block);
        foreach (ParameterStore replica in replicas.Skip(1))
        {
            AdamKernel.MoveInto(sum, Floats(replica.Gradients, block));
        }

        return AdamKernel.SumOfSquares(sum);
    }

    private void UpdateOnDevice(ParameterGroup block, double rate, Tensor clip, Tensor healthy)
    {
        using var scope = NewDisposeScope();
        Tensor gradient = Part(Gradients, block).mul(clip),
            values = Part(Values, block);
        Tensor first = Part(FirstMoments, block),
            second = Part(SecondMoments, block);
        Tensor newFirst = first.Times(options.Beta1).PlusInPlace(gradient, 1 - options.Beta1);
        Tensor newSecond = second.Times(options.Beta2).PlusInPlace(gradient.square(), 1 - options.Beta2);
        Tensor update = newFirst.div(newSecond.sqrt().Plus(options.Epsilon)).PlusInPlace(values, block.WeightDecay);
        first.copy_(where(healthy, newFirst, first));
        second.copy_(where(healthy, newSecond, second));
        values.copy_(where(healthy, update.TimesInPlace(-rate).Plus(values), values));
        Part(Gradients, block).zero_();
    }
}
