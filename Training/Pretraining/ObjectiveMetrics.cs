using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>The figures that an objective's sums give, under the names they are stored by. Losses in nats a token.</summary>
internal static class ObjectiveMetrics
{
    /// <summary>Those of the networks there are.</summary>
    public static IEnumerable<(string Name, double Value)> Of(ObjectiveSums sums, ModelParts parts)
    {
        if (parts.HasGenerator)
        {
            yield return ("generator_loss", sums.MeanGeneratorLoss);
            yield return ("generator_accuracy", sums.GeneratorAccuracy);
        }

        if (parts.Predicts)
        {
            yield return ("language_model_loss", sums.MeanMainLoss);
            yield return ("language_model_accuracy", sums.MainAccuracy);
        }
        else
        {
            yield return ("discriminator_loss", sums.MeanMainLoss);
        }
    }
}
