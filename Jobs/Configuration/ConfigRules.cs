using ElectraPipeline.Training;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Finetuning;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;

namespace ElectraPipeline.Jobs.Configuration;

/// <summary>Ranges and dependencies of the fields that the JSON form cannot say.</summary>
internal sealed class ConfigRules
{
    private readonly List<string> faults = [];

    private ConfigRules() { }

    /// <summary>Every fault, each with the field, its value and what is allowed.</summary>
    public static IReadOnlyList<string> FaultsOf(RunConfig config)
    {
        var rules = new ConfigRules();
        rules.Check(config);
        return rules.faults;
    }

    private void Check(RunConfig config)
    {
        Require(config.Priority is >= -100 and <= 100, "priority", config.Priority, "-100 to 100");
        CheckLimits(config.Limits);
        if (config.Inputs is not null)
        {
            faults.Add("inputs is found out when the config is read; leave it out");
        }

        Require(ModelReference.IsName(config.Name), "name", config.Name, "lower-case letters, digits and '-', at most 63, a letter first");
        Require(config.Seed >= 0, "seed", config.Seed, "0 or more");
        CheckOrigin(config);
        CheckData(config);
        CheckMixture(config);
        CheckModel(config);
        CheckPretraining(config);
        if (faults.Count == 0)
        {
            CheckTogether(config);
        }

        for (int i = 0; i < config.Finetune.Count; i++)
        {
            CheckTask(config.Finetune[i], $"finetune[{i}]");
        }

        foreach (var twice in config.Finetune.GroupBy(task => task.Name).Where(group => group.Count() > 1))
        {
            Require(false, "finetune", twice.Key, "names that are unique in the run");
        }
    }

    /// <summary>What single values do not show: sizes and options that exclude each other.</summary>
    private void CheckTogether(RunConfig config)
    {
        try
        {
            config.Pretrain.Validate();
            config.Model.Resolve(config.Vocabulary.Size, PretrainingObjectives.PartsOf(config.Pretrain.Objective));
        }
        catch (PermanentException contradiction)
        {
            faults.Add(contradiction.Message);
        }
    }

    private void CheckOrigin(RunConfig config)
    {
        string paths = $"[{string.Join(", ", config.Corpus.Paths)}]";
        if (config.From is null)
        {
            Require(
                config.Corpus.Paths.Count > 0,
                "corpus.paths",
                paths,
                "at least one path, or \"from\" with a registered model to fine-tune"
            );
            return;
        }

        Require(ModelReference.IsReference(config.From), "from", config.From, "\"NAME\", \"NAME@3\" or \"NAME@ALIAS\"");
        Require(config.Corpus.Paths.Count == 0, "corpus.paths", paths, "none, as \"from\" starts with a model that is trained");
        Require(config.Finetune.Count > 0, "finetune", "[]", "at least one task, as \"from\" leaves nothing else to do");
    }

    private void CheckData(RunConfig config)
    {
        OneOf(config.Corpus.OnReject, "corpus.onReject", "skip", "fail");
        Require(config.Corpus.MaxExpansion >= 1, "corpus.maxExpansion", config.Corpus.MaxExpansion, "1 or more");
        Share(config.Corpus.MaxRejectShare, "corpus.maxRejectShare", 0, 1);
        Require(
            config.Corpus.Parts is >= 1 and <= IngestProgram.MaxParts,
            "corpus.parts",
            config.Corpus.Parts,
            $"1 to {IngestProgram.MaxParts}"
        );
        faults.AddRange(config.Corpus.Filters?.Faults() ?? []);
        Require(
            config.Vocabulary.Path is not null || config.Vocabulary.Size is >= 100 and <= 1_000_000,
            "vocabulary.size",
            config.Vocabulary.Size,
            "100 to 1000000"
        );
        Require(config.Vocabulary.MinFrequency >= 0, "vocabulary.minFrequency", config.Vocabulary.MinFrequency, "0 or more");
        Require(config.Vocabulary.LimitAlphabet >= 0, "vocabulary.limitAlphabet", config.Vocabulary.LimitAlphabet, "0 (no limit) or more");
        Require(config.Examples.SequenceLength is >= 8 and <= 4096, "examples.sequenceLength", config.Examples.SequenceLength, "8 to 4096");
        OneOf(config.Examples.Overflow, "examples.overflow", "carry", "discard");
        Share(config.Examples.HeldOutShare, "examples.heldOutShare", 0, 0.5);
        Share(config.Examples.SingleSegmentProbability, "examples.singleSegmentProbability", 0, 1);
        Share(config.Examples.ShortTargetProbability, "examples.shortTargetProbability", 0, 1);
    }

    private void CheckMixture(RunConfig config)
    {
        var mixture = config.Mixture;
        Require(mixture.Weight >= 0 && double.IsFinite(mixture.Weight), "mixture.weight", mixture.Weight, "0 or more");
        Require(
            mixture.Weight > 0 || mixture.Datasets.Count > 0,
            "mixture.weight",
            mixture.Weight,
            "above 0 where mixture.datasets is empty"
        );
        for (int i = 0; i < mixture.Datasets.Count; i++)
        {
            double weight = mixture.Datasets[i].Weight;
            Require(weight > 0 && double.IsFinite(weight), $"mixture.datasets[{i}].weight", weight, "above 0");
        }
    }

    private void CheckModel(RunConfig config)
    {
        OneOf(config.Model.Preset, "model.preset", "tiny", "small", "base", "large");
        foreach (
            var (value, name) in new[]
            {
                (config.Model.Layers, "layers"),
                (config.Model.HiddenSize, "hiddenSize"),
                (config.Model.IntermediateSize, "intermediateSize"),
                (config.Model.AttentionHeads, "attentionHeads"),
                (config.Model.EmbeddingSize, "embeddingSize"),
                (config.Model.MaxPositions, "maxPositions"),
            }
        )
        {
            Require(value is null or >= 1, "model." + name, value, "1 or more");
        }

        OneOf(config.Model.EmbeddingSharing ?? "tied", "model.embeddingSharing", "tied", "untied", "disentangled");
        OneOf(config.Model.Generator ?? "learned", "model.generator", "learned", "uniform");
        int? positions = config.Model.MaxPositions;
        Require(
            positions is null || positions >= config.Examples.SequenceLength,
            "model.maxPositions",
            positions,
            $"examples.sequenceLength ({config.Examples.SequenceLength}) or more"
        );
    }

    private void CheckPretraining(RunConfig config)
    {
        var pretrain = config.Pretrain;
        Require(pretrain.Steps >= 1, "pretrain.steps", pretrain.Steps, "1 or more");
        Require(pretrain.BatchSize >= 1, "pretrain.batchSize", pretrain.BatchSize, "1 or more");
        Require(pretrain.MicroBatchSize >= 1, "pretrain.microBatchSize", pretrain.MicroBatchSize, "1 or more");
        Require(pretrain.LearningRate is > 0 and < 1, "pretrain.learningRate", pretrain.LearningRate, "above 0, below 1");
        Require(pretrain.WarmupSteps >= 0, "pretrain.warmupSteps", pretrain.WarmupSteps, "0 or more");
        Require(pretrain.MaskProbability is > 0 and < 1, "pretrain.maskProbability", pretrain.MaskProbability, "above 0, below 1");
        OneOf(pretrain.Objective, "pretrain.objective", [.. PretrainingObjectives.Names]);
        Share(pretrain.MaskReplaceProbability ?? 0, "pretrain.maskReplaceProbability", 0, 1);
        Share(pretrain.MaskRandomProbability ?? 0, "pretrain.maskRandomProbability", 0, 1);
        Require(pretrain.Temperature > 0, "pretrain.temperature", pretrain.Temperature, "above 0");
        Require(pretrain.CheckpointSteps >= 1, "pretrain.checkpointSteps", pretrain.CheckpointSteps, "1 or more");
        Require(pretrain.KeepCheckpoints >= 1, "pretrain.keepCheckpoints", pretrain.KeepCheckpoints, "1 or more");
        Require(pretrain.EvaluateSteps >= 0, "pretrain.evaluateSteps", pretrain.EvaluateSteps, "0 (only at the end) or more");
        Require(pretrain.LogSteps >= 1, "pretrain.logSteps", pretrain.LogSteps, "1 or more");
        Require(pretrain.Replicas is >= 0 and <= 256, "pretrain.replicas", pretrain.Replicas, "0 (one a core) to 256");
        OneOf(pretrain.Device, "pretrain.device", "auto", "cpu", "cuda");
        OneOf(pretrain.Precision, "pretrain.precision", "float32", "bfloat16");
        CheckPhases(config);
        Require(config.Evaluate.MaxExamples >= 0, "evaluate.maxExamples", config.Evaluate.MaxExamples, "0 (all) or more");
    }

    private void CheckPhases(RunConfig config)
    {
        if (config.Pretrain.Phases is not { Count: > 0 } phases)
        {
            return;
        }

        for (int i = 0; i < phases.Count; i++)
        {
            string path = $"pretrain.phases[{i}]";
            Require(phases[i].Steps >= 1, path + ".steps", phases[i].Steps, "1 or more");
            int? length = phases[i].SequenceLength;
            Require(
                length is null || (length >= 8 && length <= config.Examples.SequenceLength),
                path + ".sequenceLength",
                length,
                $"8 to examples.sequenceLength ({config.Examples.SequenceLength})"
            );
            Require(phases[i].BatchSize is null or >= 1, path + ".batchSize", phases[i].BatchSize, "1 or more");
            Require(phases[i].MicroBatchSize is null or >= 1, path + ".microBatchSize", phases[i].MicroBatchSize, "1 or more");
            Require(phases[i].LearningRate is null or (> 0 and < 1), path + ".learningRate", phases[i].LearningRate, "above 0, below 1");
            Require(phases[i].WarmupSteps is null or >= 0, path + ".warmupSteps", phases[i].WarmupSteps, "0 or more");
        }

        Require(
            phases.Sum(phase => (long)phase.Steps) == config.Pretrain.Steps,
            "pretrain.steps",
            config.Pretrain.Steps,
            "the sum of the steps of pretrain.phases"
        );
    }

    private void CheckLimits(IReadOnlyList<StageLimits> limits)
    {
        string[] stages = [.. Pipeline.Stages.Select(stage => stage.Name)];
        for (int i = 0; i < limits.Count; i++)
        {
            string path = $"limits[{i}]";
            string stage = limits[i].Stage;
            OneOf(stage, path + ".stage", stages);
            Require(!limits.Take(i).Any(other => other.Stage == stage), path + ".stage", stage, "each stage once");
            Require(limits[i].Attempts is >= 1 and <= 1000, path + ".attempts", limits[i].Attempts, "1 to 1000");
            Require(
                limits[i].BackoffSeconds is null or (>= 0 and <= 86_400),
                path + ".backoffSeconds",
                limits[i].BackoffSeconds,
                "0 to 86400"
            );
            Require(
                limits[i].TimeLimitSeconds is null or (> 0 and <= 2_592_000),
                path + ".timeLimitSeconds",
                limits[i].TimeLimitSeconds,
                "above 0, at most 2592000 (30 days)"
            );
            Require(limits[i].MemoryGb is null or (>= 1 and <= 65_536), path + ".memoryGb", limits[i].MemoryGb, "1 to 65536");
        }
    }

    private void CheckTask(FinetuneOptions task, string path)
    {
        Require(
            ModelReference.IsName(task.Name),
            path + ".name",
            task.Name,
            "lower-case letters, digits and '-', at most 63, a letter first"
        );
        OneOf(task.Kind, path + ".kind", [.. FinetuneOptions.Kinds]);
        OneOf(task.LayerwiseDecayRule, path + ".layerwiseDecayRule", "official", "fixed");
        Require(
            task.Head is null or FinetuneOptions.OfficialHead,
            path + ".head",
            task.Head,
            $"\"{FinetuneOptions.OfficialHead}\", or left out"
        );
        Require(task.Epochs > 0, path + ".epochs", task.Epochs, "above 0");
        Require(task.BatchSize >= 1, path + ".batchSize", task.BatchSize, "1 or more");
        Require(task.LearningRate is > 0 and < 1, path + ".learningRate", task.LearningRate, "above 0, below 1");
        Require(task.LayerwiseDecay is > 0 and <= 1, path + ".layerwiseDecay", task.LayerwiseDecay, "above 0, at most 1");
        Require(task.EvaluationShare is > 0 and < 1, path + ".evaluationShare", task.EvaluationShare, "above 0, below 1");
        Require(task.Seeds.Count > 0, path + ".seeds", "[]", "at least one seed");
        Share(task.WarmupShare, path + ".warmupShare", 0, 1);
    }

    private void Share(double value, string field, double low, double high) =>
        Require(value >= low && value <= high, field, value, $"{low} to {high}");

    private void OneOf(string value, string field, params string[] allowed) =>
        Require(allowed.Contains(value), field, value, string.Join(", ", allowed.Select(word => $"\"{word}\"")));

    private void Require<T>(bool holds, string field, T value, string allowed)
    {
        if (!holds)
        {
            faults.Add($"{field} is {value}; allowed: {allowed}");
        }
    }
}
