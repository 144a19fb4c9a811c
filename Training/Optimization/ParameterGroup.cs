using ElectraPipeline.Training.Model;

namespace ElectraPipeline.Training.Optimization;

/// <summary>A stretch of the flat parameter buffer that the optimizer treats alike.</summary>
/// <param name="Offset">First element.</param>
/// <param name="Length">Elements.</param>
/// <param name="WeightDecay">Decoupled weight decay.</param>
/// <param name="LearningRateScale">What the step's learning rate is multiplied by.</param>
internal sealed record ParameterGroup(long Offset, long Length, double WeightDecay, double LearningRateScale)
{
    /// <summary>
    /// Groups for a layout: weight decay on all but biases and layer norms, and a learning-rate scale for each parameter's name (null: 1).
    /// Neighbours that are treated alike become one group.
    /// </summary>
    public static IReadOnlyList<ParameterGroup> For(
        ParameterLayout layout,
        double weightDecay,
        Func<string, double>? learningRateScale = null
    )
    {
        List<ParameterGroup> groups = [];
        foreach (ParameterSlot slot in layout.Slots)
        {
            double decay = slot.Decays ? weightDecay : 0,
                scale = learningRateScale?.Invoke(slot.Name) ?? 1;
            if (groups.Count > 0 && groups[^1].WeightDecay == decay && groups[^1].LearningRateScale == scale)
            {
                groups[^1] = groups[^1] with { Length = slot.Offset + slot.Length - groups[^1].Offset };
            }
            else
            {
                groups.Add(new ParameterGroup(slot.Offset, slot.Length, decay, scale));
            }
        }

        return groups;
    }
}
