using System.Text.Json;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tokenization;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>Pre-trains an ELECTRA model on shards.</summary>
public static class PretrainProgram
{
    private static readonly TimeSpan Measuring = TimeSpan.FromSeconds(0.6);

    /// <summary>Trains to the last step, from the start or from a checkpoint, and writes the model.</summary>
    /// <exception cref="PermanentException">Options, shards, vocabulary or checkpoint do not fit together, or the training
    /// diverged.</exception>
    /// <exception cref="OperationCanceledException">Asked to stop; a checkpoint of the last whole step has been reported.</exception>
    public static PretrainResult Run(PretrainRequest request, IStageReporter reporter, CancellationToken cancellationToken)
    {
        PretrainOptions options = request.Pretrain with { Replicas = Math.Max(1, request.Pretrain.Replicas) };
        (Vocabulary vocabulary, TokenizerOptions tokenizer) = VocabularyStore.Read(request.VocabularyFolder);
        ElectraConfig config = request.Model.Resolve(vocabulary.Count, PretrainingObjectives.PartsOf(options.Objective));
        using ExampleMixture train = ExampleMixture.Open(request.ShardFolders, request.Mixture, request.MixtureDigests);
        using ExampleSet heldOut = ExampleSet.Open(request.ShardFolders, Split.HeldOut);
        Check(train, config, options);
        SpecialIds ids = IdsOf(vocabulary);
        using var trainer = new Pretrainer(config, options, ids, request.Seed, TorchDevice.Resolve(options.Device));
        long start = Resume(trainer, config, options, request, reporter);
        if (start == 0 && options.InitializeFrom is { } source)
        {
            InitialWeights.Load(source, trainer, vocabulary, reporter.Log);
            if (
                request.InitializeFromDigest is { } digest
                && CheckedFile.DigestOfFolder(source, InputFolders.Anywhere) is var now
                && now != digest
            )
            {
                throw CheckedFile.Changed(source, digest, now);
            }
        }

        var sampler = new BatchSampler(train, request.Seed, options.BatchSize);
        var loop = new PretrainLoop(
            trainer,
            options,
            request.Seed,
            step => BatchOf(step, sampler, trainer.Plan, request.Seed),
            HeldOutExamples.Evaluator(heldOut, request.Evaluate, options, ids, vocabulary.Count),
            new CheckpointWriter(Path.Combine(request.WorkFolder, "checkpoints"), options.KeepCheckpoints),
            reporter,
            start < options.Steps ? Ceiling(trainer, train.SequenceLength, options.ProductType, reporter) : null
        );
        EvaluateResult? result = loop.Run(cancellationToken);
        var description = new ElectraDescription
        {
            Model = config,
            Pretrain = options,
            Step = trainer.Step,
            Seed = request.Seed,
        };
        ElectraModelFolder.Write(request.OutputFolder, trainer.Model, description, vocabulary, tokenizer);
        return new PretrainResult(trainer.Step, start, result, trainer.Model.Parameters.Layout.Slots.Sum(slot => slot.Length));
    }

    /// <summary>Ids of the tokens that are never masked.</summary>
    internal static SpecialIds IdsOf(Vocabulary vocabulary) => new(vocabulary.ClassifierId, vocabulary.SeparatorId, vocabulary.MaskId);

    /// <summary>What the machine reaches in matrix products as the present step has them.</summary>
    private static double Ceiling(Pretrainer trainer, int longest, ScalarType productType, IStageReporter reporter)
    {
        PhasePlan.Phase phase = trainer.Plan.At(trainer.Step);
        long rows = (long)trainer.MicroBatchSizeOf(phase.BatchSize, trainer.Step) * (phase.SequenceLength ?? longest);
        var products = new MatrixProductCeiling(
            trainer.Model.Config,
            rows,
            trainer.Threads,
            trainer.Model.Parameters.Values.device,
            productType
        );
        products.Measure(rounds: 1, Measuring);
        reporter.Log(
            $"matrix products reach {products.Best / 1e9:F0} GFLOP/s here ({products.BestShape}): "
                + "train/model_flops_utilization is the model's share of it"
        );
        return products.Best;
    }

    private static ExampleBatch BatchOf(long step, BatchSampler sampler, PhasePlan plan, ulong seed)
    {
        PhasePlan.Phase phase = plan.At(step);
        long first = plan.ExamplesBefore(step);
        ExampleBatch batch = sampler.Examples(first, phase.BatchSize);
        return phase.SequenceLength is { } length ? SequenceWindows.Cut(batch, length, seed, first) : batch;
    }

    private static void Check(ExampleMixture train, ElectraConfig config, PretrainOptions options)
    {
        if (train.Count == 0)
        {
            throw new PermanentException("the shards hold no training example: the corpus is empty or all of it is held out");
        }

        if (new PhasePlan(options).LongestSequence is { } longest && longest > train.SequenceLength)
        {
            throw new PermanentException(
                $"a phase has sequences of {longest} tokens, the examples only {train.SequenceLength}; raise "
                    + "examples.sequenceLength to the longest phase"
            );
        }

        if (train.SequenceLength > config.MaxPositions)
        {
            throw new PermanentException(
                $"examples have {train.SequenceLength} tokens, the model {config.MaxPositions} positions; raise model.maxPositions or "
                    + "lower examples.sequenceLength"
            );
        }
    }

    private static long Resume(
        Pretrainer trainer,
        ElectraConfig config,
        PretrainOptions options,
        PretrainRequest request,
        IStageReporter reporter
    )
    {
        using Checkpoint? checkpoint = request.ResumeFrom is null ? null : CheckpointReader.OpenNewest(request.ResumeFrom, reporter.Log);
        if (checkpoint is null)
        {
            return 0;
        }

        CheckpointState state = checkpoint.State;
        string[] differences = [.. Differences("config", state.Config, PretrainLoop.ConfigOf(config, options))];
        if (state.Kind != PretrainLoop.CheckpointKind || state.Seed != request.Seed || differences.Length > 0)
        {
            throw new PermanentException(
                $"{checkpoint.Folder}: the checkpoint is of another configuration (kind {state.Kind}, seed {state.Seed}; "
                    + $"this run's seed is {request.Seed}; {string.Join("; ", differences)}): start again without it"
            );
        }

        trainer.Restore(state.Step, checkpoint.Tensors);
        reporter.Log($"goes on from step {state.Step} of {options.Steps}");
        return state.Step;
    }

    /// <summary>Each value that two configurations do not share, named by its path.</summary>
    private static IEnumerable<string> Differences(string path, JsonElement stored, JsonElement asked)
    {
        if (stored.ValueKind == asked.ValueKind && JsonElement.DeepEquals(stored, asked))
        {
            return [];
        }

        return stored.ValueKind == JsonValueKind.Object && asked.ValueKind == JsonValueKind.Object
            ? asked
                .EnumerateObject()
                .SelectMany(property =>
                    Differences(
                        $"{path}.{property.Name}",
                        stored.TryGetProperty(property.Name, out JsonElement value) ? value : default,
                        property.Value
                    )
                )
            : [$"{path} was {(stored.ValueKind == JsonValueKind.Undefined ? "missing" : stored.GetRawText())}, is {asked.GetRawText()}"];
    }
}
