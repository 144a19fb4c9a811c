using System.Diagnostics;
using ElectraPipeline.Training;
using ElectraPipeline.Training.Shards;

namespace ElectraPipeline.Bench;

/// <summary>Random examples a second from shards on one thread, beside plain copies of as many bytes.</summary>
internal static class SamplingSpeed
{
    private const int Vocabulary = 30_522;

    /// <summary>Measures and prints; the best of some epochs.</summary>
    public static void Print(int examples, int length, int batch, int rounds)
    {
        string folder = Directory.CreateTempSubdirectory("electra-bench-").FullName;
        try
        {
            Write(Path.Combine(folder, ExampleSet.FileNameOf(Split.Train)), examples, length);
            using ExampleSet set = ExampleSet.Open([folder], Split.Train);
            var sampler = new BatchSampler(set, seed: 1, batch);
            int steps = examples / batch;
            byte[] records = File.ReadAllBytes(Path.Combine(folder, ExampleSet.FileNameOf(Split.Train)));
            int stride = 4 + (2 * length);
            Console.WriteLine(
                $"{examples:N0} examples of {length} tokens, batches of {batch}, one thread; {Environment.ProcessorCount} processors"
            );
            Console.WriteLine("| what | million examples/s | GB/s read |\n|---|--:|--:|");
            Row("first epoch: every block's hash checked", Epoch(sampler, 0, steps));
            double sampled = double.MaxValue,
                random = double.MaxValue,
                straight = double.MaxValue;
            for (int round = 1; round <= rounds; round++)
            {
                sampled = Math.Min(sampled, Epoch(sampler, round, steps));
                random = Math.Min(random, Copies(records, stride, steps * batch, new Permutation(examples, 1, round)));
                straight = Math.Min(straight, Copies(records, stride, steps * batch, order: null));
            }

            Row("later epochs", sampled);
            Row("memcpy of records in such an order", random);
            Row("memcpy of records one after the other", straight);

            void Row(string name, double seconds) =>
                Console.WriteLine($"| {name} | {steps * batch / seconds / 1e6:F2} | {(double)steps * batch * stride / seconds / 1e9:F2} |");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double Epoch(BatchSampler sampler, int epoch, int steps)
    {
        long start = Stopwatch.GetTimestamp();
        for (int step = 0; step < steps; step++)
        {
            sampler.Batch(((long)epoch * steps) + step);
        }

        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Copies(byte[] records, int stride, int count, Permutation? order)
    {
        byte[] record = new byte[stride];
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
            records.AsSpan(ShardHeader.Size + ((order is null ? i : order[i]) * stride), stride).CopyTo(record);
        }

        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Write(string path, int examples, int length)
    {
        using var writer = new ShardWriter(path, new ShardHeader(2, length, 0, new byte[32], new byte[32]));
        var random = new CounterRandom(1, 1);
        int[] ids = new int[length];
        for (int i = 0; i < examples; i++)
        {
            for (int j = 0; j < length; j++)
            {
                ids[j] = random.Next(Vocabulary);
            }

            writer.Add(ids, length);
        }

        writer.Commit();
    }
}
