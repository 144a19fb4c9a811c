using System.Globalization;

namespace ElectraPipeline.Training.Optimization;

/// <summary>Smaller learning rates for lower layers while fine-tuning (official optimization.py, <c>_get_layer_lrs</c>).</summary>
/// <remarks>
/// A parameter at depth t has the rate decay^(top - t): embeddings (and their projection) at 0, layer i at i + 1. The official code puts
/// the task's head at layers + 2, so that even the topmost layer is two steps below it; "fixed" puts it at layers + 1.
/// </remarks>
internal static class LayerwiseLearningRates
{
    private const string LayerPrefix = "electra.encoder.layer.";

    /// <summary>What the learning rate of a parameter is multiplied by, from its Hugging Face name.</summary>
    /// <param name="layers">Transformer layers.</param>
    /// <param name="decay">Factor from one depth to the one below, in (0, 1].</param>
    /// <param name="fixedDepth">Put the head right above the topmost layer.</param>
    public static Func<string, double> For(int layers, double decay, bool fixedDepth)
    {
        int top = layers + (fixedDepth ? 1 : 2);
        return name => Math.Pow(decay, top - Depth(name, top));
    }

    private static int Depth(string name, int top)
    {
        if (name.StartsWith("electra.embeddings", StringComparison.Ordinal))
        {
            return 0;
        }

        if (!name.StartsWith(LayerPrefix, StringComparison.Ordinal))
        {
            return top;
        }

        ReadOnlySpan<char> rest = name.AsSpan(LayerPrefix.Length);
        return 1 + int.Parse(rest[..rest.IndexOf('.')], CultureInfo.InvariantCulture);
    }
}
