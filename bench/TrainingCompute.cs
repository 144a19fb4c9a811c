using ElectraPipeline.Training.Model;

namespace ElectraPipeline.Bench;

/// <summary>What training costs in floating-point operations, whatever the machine.</summary>
internal static class TrainingCompute
{
    /// <summary>Forward and backward of all networks: three times the forward's multiplications and additions in matrix products.</summary>
    /// <param name="config">Sizes and parts of the model.</param>
    /// <param name="batch">Sequences a step.</param>
    /// <param name="length">Tokens a sequence.</param>
    /// <param name="masked">Masked tokens a step.</param>
    public static double OfStep(ElectraConfig config, int batch, int length, int masked)
    {
        double tokens = batch * (double)length, embedding = config.EmbeddingSize, hidden = config.Discriminator.HiddenSize;
        double total = Encoder(config.Discriminator);
        if (config.Parts.HasGenerator)
        {
            total += Encoder(config.Generator) + Prediction(config.Generator);
        }

        if (config.Parts.Detects)
        {
            total += tokens * 2 * hidden * hidden;
        }

        if (config.Parts.Predicts)
        {
            total += Prediction(config.Discriminator);
        }

        return 3 * total;

        double Encoder(EncoderConfig sizes)
        {
            double width = sizes.HiddenSize;
            double projection = width == embedding ? 0 : 2 * width * embedding;
            return tokens * (projection + (sizes.Layers * ((8 * width * width) + (4 * width * sizes.IntermediateSize) + (4 * length * width))));
        }

        double Prediction(EncoderConfig sizes) => masked * 2.0 * embedding * (sizes.HiddenSize + config.VocabularySize);
    }
}
