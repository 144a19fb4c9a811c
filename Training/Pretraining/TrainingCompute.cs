using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>
/// What training costs in floating-point operations, whatever the machine: the multiplications and additions of the matrix products of
/// all networks, forwards and backwards (three times the forwards').
/// </summary>
/// <remarks>
/// As model FLOPs utilization counts them (Chowdhery et al. 2022, "PaLM", appendix B): padding, and what gradient checkpointing computes
/// again, are not work done.
/// </remarks>
internal static class TrainingCompute
{
    /// <summary>Operations of the steps or micro-batches that these sums are of.</summary>
    public static double Of(ElectraConfig config, ObjectiveSums sums)
    {
        ModelParts parts = config.Parts;
        double hidden = config.Discriminator.HiddenSize,
            total = Encoder(config.Discriminator, config.EmbeddingSize);
        if (parts.HasGenerator)
        {
            int towers = parts.Generator == ModelParts.TwoTowerGenerator ? 2 : 1,
                embedding = config.EmbeddingSizeOfGenerator;
            total += towers * Encoder(config.Generator, embedding);
            total += Prediction(sums.Masked, towers * config.Generator.HiddenSize, embedding);
        }

        if (parts.Detects)
        {
            total += sums.Tokens * 2 * hidden * (hidden + 1);
        }

        if (parts.Predicts)
        {
            total += Prediction(sums.MainTokens, hidden, config.EmbeddingSize);
        }

        return 3 * total;

        double Encoder(EncoderConfig sizes, double embedding)
        {
            double width = sizes.HiddenSize,
                projection = width == embedding ? 0 : 2 * width * embedding;
            double dense = (8 * width * width) + (4 * width * sizes.IntermediateSize);
            return (sums.Tokens * (projection + (sizes.Layers * dense))) + (sums.AttendedPairs * 4.0 * width * sizes.Layers);
        }

        double Prediction(double tokens, double width, double embedding) => tokens * 2 * embedding * (width + config.VocabularySize);
    }

    /// <summary>Operations of a step without padding.</summary>
    /// <param name="config">Sizes and parts of the model.</param>
    /// <param name="batch">Sequences a step.</param>
    /// <param name="length">Tokens a sequence.</param>
    /// <param name="masked">Masked tokens a step.</param>
    public static double OfStep(ElectraConfig config, int batch, int length, int masked)
    {
        int tokens = batch * length;
        return Of(
            config,
            new ObjectiveSums
            {
                Tokens = tokens,
                AttendedPairs = tokens * (long)length,
                Masked = config.Parts.Generator == ModelParts.TwoTowerGenerator ? tokens : masked,
                MainTokens = config.Parts.Main == ModelParts.LanguageModel ? masked : tokens,
            }
        );
    }
}
