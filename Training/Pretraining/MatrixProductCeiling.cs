using System.Diagnostics;
using ElectraPipeline.Training.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>
/// The most that plain matrix products reach here: the best of the shapes that the model's linear layers and language model's head use,
/// forwards and backwards, and of 768 x 768 x 768; each replica's thread computes its own. Draws nothing and changes no parameter.
/// </summary>
/// <param name="config">The model's sizes.</param>
/// <param name="rows">Tokens computed at once.</param>
/// <param name="threads">The replicas' threads.</param>
/// <param name="device">Where training computes.</param>
/// <param name="productType">What its matrix products are computed in.</param>
internal sealed class MatrixProductCeiling(
    ElectraConfig config,
    long rows,
    ReplicaThreads threads,
    Device device,
    ScalarType productType = ScalarType.Float32
)
{
    private const int RowsOfHeadAtOnce = 137; // of the language model's head: a chunk of 16 MB at 30,522 tokens
    private static readonly (long M, long K, long N) Square = (768, 768, 768);

    // A processor's product is at full speed long before these; a device, which gets its products in a queue, needs a thousand times more.
    private readonly double mostOperations = device.type == DeviceType.CPU ? 5e9 : 5e12;
    private readonly double roundOperations = device.type == DeviceType.CPU ? 2e9 : 2e12;

    private (long M, long K, long N) best = Square;

    /// <summary>Floating-point operations a second of all threads together.</summary>
    public double Best { get; private set; }

    /// <summary>[M, K] x [K, N], as M x K x N.</summary>
    public string BestShape => $"{best.M} x {best.K} x {best.N}";

    /// <summary>As <see cref="Best"/>, of 768 x 768 x 768 alone; 0: time did not allow it.</summary>
    public double BestOf768 { get; private set; }

    /// <summary>Measures each shape in some rounds; the best of all calls counts.</summary>
    /// <param name="rounds">How often.</param>
    /// <param name="atMost">After which no other shape is begun.</param>
    public void Measure(int rounds, TimeSpan atMost)
    {
        long start = Stopwatch.GetTimestamp();
        IEnumerable<(long M, long K, long N)> shapes = Enumerable.Repeat(Shapes().Distinct(), rounds).SelectMany(round => round);
        foreach ((long M, long K, long N) shape in shapes.TakeWhile(_ => Best == 0 || Stopwatch.GetElapsedTime(start) < atMost))
        {
            double rate = Rate(shape, Math.Max(1, (int)(roundOperations / OperationsOf(shape))));
            BestOf768 = shape == Square ? Math.Max(rate, BestOf768) : BestOf768;
            if (rate > Best)
            {
                (Best, best) = (rate, shape);
            }
        }
    }

    /// <summary>
    /// Operations of the best shape a second of processor time, times the threads: compares where others take their share of the
    /// processors.
    /// Takes about a second, as processor time is counted in steps of milliseconds.
    /// </summary>
    public double MeasureByProcessor()
    {
        int products = Math.Max(1, (int)(Best / threads.Count / OperationsOf(best)));
        TimeSpan before = Environment.CpuUsage.TotalTime;
        Rate(best, products);
        double seconds = (Environment.CpuUsage.TotalTime - before).TotalSeconds;
        return threads.Count * threads.Count * (products + 1) * OperationsOf(best) / seconds; // one product warms up
    }

    /// <summary>The likely best ones first.</summary>
    private IEnumerable<(long M, long K, long N)> Shapes()
    {
        long headRows = Math.Clamp(rows * 15 / 100, 1, RowsOfHeadAtOnce);
        return
        [
            .. OfEncoder(config.Discriminator),
            Square,
            .. OfEncoder(config.Generator),
            .. OfLayer(headRows, config.EmbeddingSize, config.VocabularySize),
        ];
    }

    private IEnumerable<(long M, long K, long N)> OfEncoder(EncoderConfig sizes) =>
        [
            .. OfLayer(rows, sizes.HiddenSize, sizes.IntermediateSize),
            .. OfLayer(rows, sizes.IntermediateSize, sizes.HiddenSize),
            .. OfLayer(rows, sizes.HiddenSize, 3 * sizes.HiddenSize),
            .. OfLayer(rows, sizes.HiddenSize, sizes.HiddenSize),
        ];

    /// <summary>The output, the input's gradient, the weight's.</summary>
    private (long M, long K, long N)[] OfLayer(long count, long inputs, long outputs)
    {
        long used = Math.Clamp((long)(mostOperations / (2.0 * inputs * outputs)), 1, count);
        return [(used, inputs, outputs), (used, outputs, inputs), (outputs, used, inputs)];
    }

    private static double OperationsOf((long M, long K, long N) shape) => 2.0 * shape.M * shape.K * shape.N;

    private double Rate((long M, long K, long N) shape, int products)
    {
        var watch = new Stopwatch();
        using var together = new Barrier(threads.Count, _ => watch.Start()); // who started early would make the others look fast
        threads.Run(_ =>
        {
            using var scope = NewDisposeScope();
            using IDisposable noGrad = no_grad();
            Tensor a = ones(shape.M, shape.K, productType, device),
                b = ones(shape.K, shape.N, productType, device),
                result = a.mm(b);
            Wait();
            together.SignalAndWait();
            for (int i = 0; i < products; i++)
            {
                result.addmm_(a, b, 0, 1); // into the same memory: allocating is not what is measured
            }

            Wait();
        });
        return threads.Count * products * OperationsOf(shape) / watch.Elapsed.TotalSeconds;
    }

    private void Wait()
    {
        if (device.type == DeviceType.CUDA)
        {
            cuda.synchronize(device);
        }
    }
}
