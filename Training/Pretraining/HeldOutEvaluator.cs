using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Shards;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>Measures a model on held-out text with the same masks and draws each time, so that points of a curve compare.</summary>
/// <param name="batches">The held-out examples, in batches.</param>
/// <param name="masking">How positions are masked, as in training.</param>
/// <param name="ids">Tokens that are never masked.</param>
/// <param name="options">The training options that shape the objective.</param>
/// <param name="seed">Seed of masks and samples.</param>
internal sealed class HeldOutEvaluator(
    IReadOnlyList<ExampleBatch> batches,
    DynamicMasking masking,
    SpecialIds ids,
    PretrainOptions options,
    ulong seed
)
{
    /// <summary>Sequences computed at once.</summary>
    public const int BatchSize = 32;

    /// <summary>Evaluates; the result does not depend on the number of threads.</summary>
    public EvaluateResult Run(IReadOnlyList<PretrainingObjective> objectives, ReplicaThreads threads, ModelParts parts)
    {
        var sums = new ObjectiveSums[batches.Count];
        var scores = new DetectionScores[batches.Count];
        threads.RunEach(
            batches.Count,
            index =>
            {
                scores[index] = new DetectionScores();
                sums[index] = RunBatch(objectives[index % threads.Count], index, scores[index]);
            }
        );
        return Summarize(sums.Aggregate(default(ObjectiveSums), (total, part) => total + part), DetectionScores.Join(scores), parts);
    }

    private ObjectiveSums RunBatch(PretrainingObjective objective, int index, DetectionScores scores)
    {
        ExampleBatch batch = batches[index];
        MaskedBatch whole = masking.Mask(batch.InputIds, batch.Lengths, batch.SecondSegmentStarts, seed, index);
        MaskedBatch masked = whole.Slice(0, batch.BatchSize);
        var sampler = new TokenReplacement(masked, seed, index, options.Temperature, options.DisallowCorrect);
        // Padding is no token: the official AUC counts it and comes out too high.
        return objective.Evaluate(masked, sampler, scores.Add);
    }

    private EvaluateResult Summarize(ObjectiveSums sums, DetectionScores scores, ModelParts parts)
    {
        var result = new EvaluateResult
        {
            Examples = batches.Sum(batch => batch.BatchSize),
            Tokens = sums.Tokens,
            UnigramEntropy = UnigramEntropy(),
            ReplacedShare = sums.Replaced / (double)Math.Max(1, sums.Tokens),
        };
        result = !parts.HasGenerator
            ? result
            : result with
            {
                GeneratorLoss = sums.MeanGeneratorLoss,
                GeneratorAccuracy = sums.GeneratorAccuracy,
                SampledAccuracy =
                    parts.Generator == ModelParts.MaskedGenerator ? 1 - (sums.Replaced / (double)Math.Max(1, sums.Masked)) : null,
            };
        result = parts.Predicts
            ? result with
            {
                LanguageModelLoss = sums.MeanMainLoss,
                LanguageModelAccuracy = sums.MainAccuracy,
            }
            : result with
            {
                DiscriminatorLoss = sums.MeanMainLoss,
            };
        return !parts.Detects
            ? result
            : result with
            {
                DiscriminatorAuc = scores.AreaUnderCurve(),
                DiscriminatorAccuracy = scores.Accuracy,
                DiscriminatorPrecision = scores.Precision,
                DiscriminatorRecall = scores.Recall,
                DiscriminatorF1 = scores.F1,
            };
    }

    /// <summary>
    /// Entropy, in nats, of the tokens that may be masked: the loss of a model that knows their frequencies and nothing else.
    /// </summary>
    private double UnigramEntropy()
    {
        Dictionary<int, long> counts = [];
        long total = 0;
        foreach (ExampleBatch batch in batches)
        {
            for (int b = 0; b < batch.BatchSize; b++)
            {
                foreach (int id in batch.InputIds.AsSpan(b * batch.SequenceLength, batch.Lengths[b]))
                {
                    if (!ids.Contains(id))
                    {
                        counts[id] = counts.GetValueOrDefault(id) + 1;
                        total++;
                    }
                }
            }
        }

        return counts.OrderBy(pair => pair.Key).Sum(pair => -(pair.Value / (double)total) * Math.Log(pair.Value / (double)total));
    }
}
