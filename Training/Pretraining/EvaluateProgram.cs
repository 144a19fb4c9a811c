using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tokenization;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>Measures a pre-trained model on held-out text.</summary>
public static class EvaluateProgram
{
    /// <summary>Evaluates and reports each figure at the model's step.</summary>
    /// <exception cref="PermanentException">Model, vocabulary and shards do not fit together, or there is no held-out text.</exception>
    public static EvaluateResult Run(EvaluateRequest request, IStageReporter reporter, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ElectraDescription description = ElectraModelFolder.ReadDescription(request.ModelFolder);
        (Vocabulary vocabulary, _) = VocabularyStore.Read(request.VocabularyFolder);
        if (vocabulary.Count != description.Model.VocabularySize)
        {
            throw new PermanentException(
                $"{request.ModelFolder} has {description.Model.VocabularySize} tokens, {request.VocabularyFolder} {vocabulary.Count}; "
                    + "they do not belong together"
            );
        }

        SpecialIds ids = PretrainProgram.IdsOf(vocabulary);
        using ExampleSet heldOut = ExampleSet.Open(request.ShardFolders, Split.HeldOut);
        HeldOutEvaluator evaluator =
            HeldOutExamples.Evaluator(heldOut, request.Evaluate, description.Pretrain, ids, vocabulary.Count)
            ?? throw new PermanentException("the shards hold no held-out example; raise examples.heldOutShare");
        using ElectraPretrainingModel model = ElectraModelReader.Read(request.ModelFolder, TorchDevice.Resolve(request.Device));
        using var threads = new ReplicaThreads(Math.Max(1, request.Threads));
        using var scope = NewDisposeScope();

        // Without gradients the replicas need nothing of their own.
        PretrainingObjective objective = PretrainingObjectives.Create(
            description.Pretrain.Objective,
            model,
            description.Pretrain.Settings(ids)
        );
        EvaluateResult result = evaluator.Run([.. Enumerable.Repeat(objective, threads.Count)], threads, model.Config.Parts);
        foreach ((string name, double value) in result.Metrics())
        {
            reporter.Metric(name, description.Step, value);
        }

        return result;
    }
}
