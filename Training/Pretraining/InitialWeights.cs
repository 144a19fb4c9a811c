using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>First values from an earlier training, whatever form it was kept in.</summary>
internal static class InitialWeights
{
    private const int ListedNames = 5;

    /// <summary>Sets a trainer's parameters from a checkpoint, a "model" artifact or a Hugging Face folder.</summary>
    /// <exception cref="PermanentException">
    /// There is none of these, it has another vocabulary or other sizes, or it holds nothing of the main encoder.
    /// </exception>
    public static void Load(string path, Pretrainer trainer, Vocabulary vocabulary, Action<string> log)
    {
        IReadOnlySet<string> found = FromCheckpoint(path, trainer, log) ?? FromModel(path, trainer, vocabulary);
        string[] fresh = [.. trainer.Model.Parameters.Layout.Slots.Select(slot => slot.Name).Where(name => !found.Contains(name))];
        if (fresh.Contains(ElectraPretrainingModel.MainWords))
        {
            throw new PermanentException($"{path}: it holds no main encoder, which pretrain.initializeFrom is for");
        }

        string more = fresh.Length > ListedNames ? ", ..." : "";
        string rest = fresh.Length == 0 ? "" : $"; {fresh.Length} start anew: {string.Join(", ", fresh.Take(ListedNames))}{more}";
        log($"{found.Count} parameters are those of {path}{rest}");
    }

    private static IReadOnlySet<string>? FromCheckpoint(string path, Pretrainer trainer, Action<string> log)
    {
        using Checkpoint? checkpoint = CheckpointReader.OpenNewest(path, log);
        return checkpoint is null ? null
            : checkpoint.State.Kind == PretrainLoop.CheckpointKind ? trainer.Adopt(checkpoint.Tensors)
            : throw new PermanentException($"{checkpoint.Folder}: a checkpoint of {checkpoint.State.Kind} is no start for pre-training");
    }

    private static IReadOnlySet<string> FromModel(string path, Pretrainer trainer, Vocabulary vocabulary)
    {
        string own = Path.Combine(ElectraModelFolder.MainFolderOf(path), VocabularyStore.VocabularyName);
        if (File.Exists(own) && Vocabulary.Load(own) is var other && other.Digest != vocabulary.Digest)
        {
            throw new PermanentException(
                $"{own}: the model has another vocabulary (SHA-256 {other.Digest}) than this run "
                    + $"({vocabulary.Digest}); name it in vocabulary.path"
            );
        }

        return ElectraModelReader.ReadInto(path, trainer.Model);
    }
}
