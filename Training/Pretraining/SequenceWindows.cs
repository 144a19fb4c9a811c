using ElectraPipeline.Training.Shards;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>Cuts examples to shorter ones, so that one set of shards serves phases of several sequence lengths.</summary>
internal static class SequenceWindows
{
    /// <summary>
    /// Each example longer than <paramref name="length"/> becomes one of the windows of that length that cover it, drawn by the number
    /// of times it came up; [CLS] stays before it and [SEP] behind. A window within one segment has one segment.
    /// </summary>
    /// <param name="batch">The examples.</param>
    /// <param name="length">Tokens a sequence, [CLS] and [SEP] included.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="firstExample">How many examples were drawn before the batch.</param>
    public static ExampleBatch Cut(ExampleBatch batch, int length, ulong seed, long firstExample)
    {
        if (length >= batch.SequenceLength)
        {
            return batch;
        }

        ulong stream = RandomPurpose.SeedFor(seed, RandomPurpose.Windows);
        int[] ids = new int[batch.BatchSize * length],
            lengths = new int[batch.BatchSize],
            seconds = new int[batch.BatchSize];
        for (int b = 0; b < batch.BatchSize; b++)
        {
            ReadOnlySpan<int> example = batch.InputIds.AsSpan(b * batch.SequenceLength, batch.Lengths[b]);
            Span<int> target = ids.AsSpan(b * length, length);
            lengths[b] = Math.Min(length, example.Length);
            int start =
                example.Length <= length ? 0 : Start(example.Length - 2, length - 2, new CounterRandom(stream, (ulong)(firstExample + b)));
            example.Slice(start, lengths[b]).CopyTo(target);
            target[0] = example[0];
            target[lengths[b] - 1] = example[^1];
            seconds[b] = Second(batch.SecondSegmentStarts[b] - start, lengths[b]);
        }

        return new ExampleBatch(ids, lengths, seconds, batch.BatchSize, length);
    }

    /// <summary>Windows lie side by side, the last one ending with the text, so that every token is in one of them.</summary>
    private static int Start(int tokens, int window, CounterRandom random)
    {
        int windows = (tokens + window - 1) / window;
        return Math.Min(random.Next(windows) * window, tokens - window);
    }

    // A segment of [SEP] alone is none.
    private static int Second(int second, int length) => second > 1 && second < length - 1 ? second : length;
}
