using System.Text.Json;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Finetuning.Tasks;
using TorchSharp;

namespace ElectraPipeline.Training.Finetuning;

/// <summary>
/// Fine-tunes a pre-trained encoder for a task, once for each seed, and, if asked, the same network from random weights.
/// </summary>
/// <remarks>
/// Results are a function of (model, vocabulary, data, options, seed). Trainings run at once, each on one thread: on small models that
/// is faster than threads inside each operation, and the number of threads changes no bit.
/// </remarks>
public static class FinetuneProgram
{
    /// <summary>Fine-tunes, measures, and writes the median seed's model and <c>results.json</c>.</summary>
    /// <exception cref="PermanentException">Options, data, model or checkpoint cannot be used, or a training diverged.</exception>
    /// <exception cref="OperationCanceledException">Asked to stop; a checkpoint of the steps done has been written.</exception>
    public static FinetuneResult Run(FinetuneRequest request, IStageReporter reporter, CancellationToken cancellationToken)
    {
        using FinetunePlan plan = FinetunePlan.Make(request);
        using FinetuneLedger ledger = new(plan, request, reporter);
        reporter.Log(
            $"fine-tuning \"{plan.Options.Name}\": {plan.Task.Train.Count} examples, {plan.Task.Evaluation.Count} to measure on, "
                + $"{plan.StepsPerTraining} steps for each seed"
        );
        string[] arms = plan.Options.RandomBaseline ? [TrainingKey.Pretrained, TrainingKey.Random] : [TrainingKey.Pretrained];
        TrainingKey[] keys = [.. arms.SelectMany(arm => plan.Options.Seeds.Select(seed => new TrainingKey(arm, seed)))];
        new FinetuneRunner(plan, ledger, reporter, request.Seed).Run(keys, cancellationToken);

        FinetuneResult result = Summarize(plan, arms, key => ledger.ResultOf(key)!);
        Export(plan, ledger.SnapshotOf(new TrainingKey(TrainingKey.Pretrained, result.ExportedSeed))!, request.OutputFolder);
        string results = Path.Combine(request.OutputFolder, FinetuneResult.FileName);
        DurableFile.Write(results, JsonSerializer.SerializeToUtf8Bytes(result, FinetuneResult.Json));
        return result;
    }

    private static FinetuneResult Summarize(FinetunePlan plan, string[] arms, Func<TrainingKey, FinetuneTraining> resultOf)
    {
        FinetuneTask task = plan.Task;
        FinetuneArm[] summaries =
        [
            .. arms.Select(arm =>
                FinetuneArm.Of(arm, task.Metric, [.. plan.Options.Seeds.Select(seed => resultOf(new TrainingKey(arm, seed)))])
            ),
        ];
        return new FinetuneResult
        {
            Name = plan.Options.Name,
            Kind = plan.Options.Kind,
            Metric = task.Metric,
            Classes = task.Labels,
            TrainExamples = task.Train.Count,
            EvaluationExamples = task.Evaluation.Count,
            TruncatedExamples = task.Train.Concat(task.Evaluation).Count(example => example.Truncated),
            DataDigest = task.Digest,
            Baseline = task.Baseline,
            Arms = summaries,
            ExportedSeed = summaries[0].MedianTraining(task.Metric).Seed,
        };
    }

    private static void Export(FinetunePlan plan, TrainingSnapshot snapshot, string folder)
    {
        using var scope = torch.NewDisposeScope();
        using IDisposable noGrad = torch.no_grad();
        using TaskModel model = new(plan.Model, plan.Task.Head, plan.HeadDropout, torch.CPU);
        snapshot.CopyTo(model.Parameters.Layout, [model.Parameters.Values]);
        plan.Task.PrepareExport(model.Parameters);
        HuggingFaceFolder.Write(folder, plan.Task.ConfigOf(plan.Source.Config), plan.Task.Head.Architecture, model.State());
        HuggingFaceFolder.WriteTokenizer(folder, plan.Vocabulary, plan.Tokenizer, plan.Model.MaxPositions);
    }
}
