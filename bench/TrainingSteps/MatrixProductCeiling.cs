using System.Diagnostics;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Pretraining;
using static TorchSharp.torch;

namespace ElectraPipeline.Bench.TrainingSteps;

/// <summary>
/// The most that plain matrix products reach: the best of the shapes that the model's linear layers and language model's head use, forwards
/// and backwards, and of 768 x 768 x 768; each thread computes its own.
/// </summary>
internal sealed class MatrixProductCeiling(TrainingStepSetting setting, ReplicaThreads threads)
{
    private const int Rounds = 4;
    private const double RoundOperations = 2e9; // of a thread: 10 to 15 ms
    private static readonly (long M, long K, long N) Square = (768, 768, 768);

    /// <summary>Floating-point operations a second of all threads together.</summary>
    public double Best { get; private set; }

    /// <summary>The same by processor time, which compares even where other programs take their share of the processors.</summary>
    public double BestOfProcessor { get; private set; }

    /// <summary>[M, K] x [K, N], as M x K x N.</summary>
    public string BestShape { get; private set; } = "";

    public double BestOf768 { get; private set; }

    /// <summary>Measures each shape some times; the best of all calls counts.</summary>
    public void Measure()
    {
        for (int round = 0; round < Rounds; round++)
        {
            foreach ((long M, long K, long N) shape in Shapes())
            {
                (double rate, double processorRate) = Rate(shape);
                BestOfProcessor = Math.Max(processorRate, BestOfProcessor);
                BestOf768 = shape == Square ? Math.Max(rate, BestOf768) : BestOf768;
                if (rate > Best)
                {
                    (Best, BestShape) = (rate, $"{shape.M} x {shape.K} x {shape.N}");
                }
            }
        }
    }

    private IEnumerable<(long M, long K, long N)> Shapes()
    {
        ElectraConfig config = setting.Config();
        int share = (setting.BatchSize + setting.Threads - 1) / setting.Threads;
        long rows = Math.Min(setting.MicroBatchSize, share) * (long)setting.Length;
        IEnumerable<(long Rows, long Inputs, long Outputs)> layers = new[] { config.Discriminator, config.Generator }
            .SelectMany(sizes => new (long, long, long)[]
            {
                (rows, sizes.HiddenSize, 3 * sizes.HiddenSize),
                (rows, sizes.HiddenSize, sizes.HiddenSize),
                (rows, sizes.HiddenSize, sizes.IntermediateSize),
                (rows, sizes.IntermediateSize, sizes.HiddenSize),
            })
            .Append((Math.Min(137, rows * 15 / 100), config.EmbeddingSize, config.VocabularySize)); // a chunk of the head's rows
        return layers
            .SelectMany(layer => new[]
            {
                layer, // the output
                (layer.Rows, layer.Outputs, layer.Inputs), // the input's gradient
                (layer.Outputs, layer.Rows, layer.Inputs), // the weight's
            })
            .Append(Square).Distinct();
    }

    private (double Wall, double Processor) Rate((long M, long K, long N) shape)
    {
        double operations = 2.0 * shape.M * shape.K * shape.N;
        int products = Math.Max(1, (int)(RoundOperations / operations));
        var watch = new Stopwatch();
        TimeSpan used = default;
        threads.Run(replica =>
        {
            using var scope = NewDisposeScope();
            Tensor a = ones(shape.M, shape.K), b = ones(shape.K, shape.N), result = a.mm(b);
            if (replica == 0)
            {
                used = Environment.CpuUsage.TotalTime;
                watch.Start();
            }

            for (int i = 0; i < products; i++)
            {
                result.addmm_(a, b, 0, 1); // into the same memory: allocating is not what is measured
            }
        });
        double all = threads.Count * products * operations;
        return (all / watch.Elapsed.TotalSeconds, threads.Count * all / (Environment.CpuUsage.TotalTime - used).TotalSeconds);
    }
}
