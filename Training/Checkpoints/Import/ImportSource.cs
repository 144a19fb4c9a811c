using ElectraPipeline.Training.Pretraining;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Checkpoints.Import;

/// <summary>One model in one source: which tensor of the source each of its tensors is.</summary>
/// <param name="Description">What it is.</param>
/// <param name="Tensors">Where its tensors come from.</param>
/// <param name="Matches">Its tensors in Hugging Face's order.</param>
internal sealed record ImportSource(ImportedModel Description, ITensorSource Tensors, IReadOnlyList<TensorMatch> Matches)
{
    /// <summary>Faults of the matches: missing tensors and wrong shapes, each with file and name.</summary>
    public IEnumerable<string> Faults()
    {
        foreach (TensorMatch match in Matches)
        {
            if (!Tensors.Contains(match.Source))
            {
                yield return $"{Tensors.Path}: there is no tensor \"{match.Source}\", which is \"{match.Name}\" of the {Description.Model}";
            }
            else if (!ShapeOf(match).SequenceEqual(match.Shape))
            {
                yield return $"{Tensors.Path}: tensor \"{match.Source}\" is [{string.Join(", ", Tensors.Describe(match.Source).Shape)}], "
                    + $"\"{match.Name}\" of the {Description.Model} is [{string.Join(", ", match.Shape)}]";
            }
        }
    }

    /// <summary>Writes the model as a Hugging Face folder in float32, which holds any half-width value exactly.</summary>
    public void Write(string folder)
    {
        using var scope = NewDisposeScope();
        (string, Tensor)[] tensors = [.. Matches.Select(match => (match.Name, Read(match)))];
        HuggingFaceConfig config = Description.Config with { ElementType = null };
        HuggingFaceFolder.Write(Path.Combine(folder, Description.Model), config, Description.Architecture, tensors);
    }

    /// <summary>The model of a Hugging Face folder; the caller disposes its tensors.</summary>
    /// <exception cref="PermanentException">The folder is incomplete, or its class is none that is known.</exception>
    public static ImportSource OfFolder(string folder)
    {
        HuggingFaceConfig config = HuggingFaceConfig.Read(Path.Combine(folder, HuggingFaceFolder.ConfigName));
        ITensorSource tensors = WeightFiles.Open(folder);
        string? architecture =
            config.Architectures?.FirstOrDefault(ElectraArchitecture.All.Contains) ?? ElectraArchitecture.Guess([.. tensors.Names]);
        if (architecture is null)
        {
            tensors.Dispose();
            throw new PermanentException(
                $"{folder}: the model is {string.Join(", ", config.Architectures ?? ["of no named class"])}; imported are "
                    + string.Join(", ", ElectraArchitecture.All)
            );
        }

        string model =
            architecture == ElectraArchitecture.MaskedLanguageModel
                ? ElectraModelFolder.GeneratorName
                : ElectraModelFolder.DiscriminatorName;
        return new ImportSource(
            new ImportedModel(model, architecture, config),
            tensors,
            [.. ElectraArchitecture.Tensors(config, architecture).Select(item => new TensorMatch(item.Name, item.Shape, item.Name, false))]
        );
    }

    private IReadOnlyList<long> ShapeOf(TensorMatch match)
    {
        IReadOnlyList<long> stored = Tensors.Describe(match.Source).Shape;
        return match.IsTransposed ? [.. stored.Reverse()] : stored;
    }

    private Tensor Read(TensorMatch match)
    {
        Tensor stored = Tensors.Read(match.Source);
        Tensor turned = match.IsTransposed ? stored.t() : stored;
        return turned.to_type(ScalarType.Float32).contiguous();
    }
}

/// <summary>A tensor of a model and the tensor of the source that it is.</summary>
/// <param name="Name">Its name in Hugging Face's state dict.</param>
/// <param name="Shape">Its shape there.</param>
/// <param name="Source">Its name in the source.</param>
/// <param name="IsTransposed">Whether the source's matrix lies the other way round.</param>
internal sealed record TensorMatch(string Name, IReadOnlyList<long> Shape, string Source, bool IsTransposed);
