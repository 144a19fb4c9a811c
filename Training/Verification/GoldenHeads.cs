using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Finetuning;
using ElectraPipeline.Training.Model;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Verification;

/// <summary>The task heads of a folder of reference numbers, each over an encoder of its own.</summary>
internal static class GoldenHeads
{
    /// <summary>
    /// What a head's model gives for a batch, under the names that the reference has: "logits" [B, C] or [B, L, C], for answers
    /// "start_logits" and "end_logits" [B, L].
    /// </summary>
    /// <exception cref="PermanentException">The folder holds another class of model.</exception>
    public static IReadOnlyList<(string Name, Tensor Value, bool PerToken)> Forward(string folder, EncoderInput input, Device device)
    {
        string architecture = ArchitectureOf(folder);
        using HuggingFaceModel source = HuggingFaceFolder.Read(folder, architecture);
        TaskHead head = HeadOf(architecture, source.Config.Labels.Count);
        using var model = new TaskModel(TaskModel.ConfigOf(source.Config), head, headDropout: 0, device);
        model.Load(source);
        Tensor logits = model.Forward(input, dropout: null);
        if (head is not SpanHead)
        {
            return [("logits", logits, head is TokenHead)];
        }

        Tensor[] ends = logits.unbind(-1);
        return [("start_logits", ends[0], true), ("end_logits", ends[1], true)];
    }

    private static TaskHead HeadOf(string architecture, int labels) =>
        architecture switch
        {
            ElectraArchitecture.SequenceClassification => new SequenceHead(labels),
            ElectraArchitecture.TokenClassification => new TokenHead(labels),
            _ => new SpanHead(),
        };

    private static string ArchitectureOf(string folder)
    {
        string path = Path.Combine(folder, HuggingFaceFolder.ConfigName);
        string[] known =
        [
            ElectraArchitecture.SequenceClassification,
            ElectraArchitecture.TokenClassification,
            ElectraArchitecture.QuestionAnswering,
        ];
        IReadOnlyList<string> named = HuggingFaceConfig.Read(path).Architectures ?? [];
        return known.FirstOrDefault(named.Contains)
            ?? throw new PermanentException(
                $"{path}: architectures is [{string.Join(", ", named)}]; heads that are verified: {string.Join(", ", known)}"
            );
    }
}
