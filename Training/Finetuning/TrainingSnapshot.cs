using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Finetuning;

/// <summary>
/// What a training needs to go on: parameters and Adam's moments, by name, on the CPU. A finished one needs the parameters alone.
/// </summary>
internal sealed class TrainingSnapshot : IDisposable
{
    private static readonly string[] Parts = ["parameters", "adam_first", "adam_second"];

    private TrainingSnapshot(long step, IReadOnlyList<(string Name, Tensor Tensor)> tensors)
    {
        Step = step;
        Tensors = tensors;
    }

    /// <summary>Steps done.</summary>
    public long Step { get; }

    /// <summary>Tensors named part.parameter.</summary>
    public IReadOnlyList<(string Name, Tensor Tensor)> Tensors { get; }

    /// <summary>Copies flat tensors of one layout: the parameters, then, if given, the moments.</summary>
    public static TrainingSnapshot Of(long step, ParameterLayout layout, IReadOnlyList<Tensor> flats)
    {
        using var scope = NewDisposeScope();
        return new TrainingSnapshot(
            step,
            [
                .. flats
                    .Zip(Parts)
                    .SelectMany(part =>
                        layout.Slots.Select(slot =>
                            ($"{part.Second}.{slot.Name}", View(part.First, slot).cpu().clone().DetachFromDisposeScope())
                        )
                    ),
            ]
        );
    }

    /// <summary>Reads one from a checkpoint, where its names stand behind <paramref name="prefix"/>.</summary>
    public static TrainingSnapshot Read(long step, SafeTensorsFile file, string prefix) =>
        new(
            step,
            [
                .. file
                    .Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
                    .Select(name => (name[prefix.Length..], file.Read(name))),
            ]
        );

    /// <summary>Copies into flat tensors of the same layout.</summary>
    /// <exception cref="PermanentException">A tensor is missing or of another shape.</exception>
    public void CopyTo(ParameterLayout layout, IReadOnlyList<Tensor> flats)
    {
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> byName = Tensors.ToDictionary(item => item.Name, item => item.Tensor);
        foreach ((Tensor flat, string part) in flats.Zip(Parts))
        {
            foreach (ParameterSlot slot in layout.Slots)
            {
                Tensor target = View(flat, slot);
                if (!byName.TryGetValue($"{part}.{slot.Name}", out Tensor? source) || !source.shape.SequenceEqual(target.shape))
                {
                    throw new PermanentException(
                        $"the checkpoint's \"{part}.{slot.Name}\" is missing or of another shape than the " + "model's"
                    );
                }

                target.copy_(source);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((_, Tensor tensor) in Tensors)
        {
            tensor.Dispose();
        }
    }

    private static Tensor View(Tensor flat, ParameterSlot slot) => flat.narrow(0, slot.Offset, slot.Length).view([.. slot.Shape]);
}
