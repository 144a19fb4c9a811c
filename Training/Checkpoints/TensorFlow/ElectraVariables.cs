namespace ElectraPipeline.Training.Checkpoints.TensorFlow;

/// <summary>
/// How the official code (google-research/electra) names the variables of the two models, from the names of Hugging Face's state dicts.
/// </summary>
internal static class ElectraVariables
{
    private const string Encoder = "electra/";
    private const string Embeddings = "electra/embeddings/";
    private const string FirstMoment = "/adam_m";
    private const string SecondMoment = "/adam_v";

    /// <summary>The variable of a model's tensor, and whether its matrix lies the other way round.</summary>
    /// <param name="name">Hugging Face's name.</param>
    /// <param name="encoder">Scope of the model's encoder: "electra/", or "generator/".</param>
    /// <param name="embeddings">Scope of its embeddings, which the generator has of its own only where they are untied.</param>
    public static (string Name, bool IsTransposed) Of(string name, string encoder, string embeddings)
    {
        (string variable, bool isTransposed) = Translate(name);
        string scoped =
            variable.StartsWith(Embeddings, StringComparison.Ordinal) ? embeddings + variable[Embeddings.Length..]
            : variable.StartsWith(Encoder, StringComparison.Ordinal) ? encoder + variable[Encoder.Length..]
            : variable;
        return (scoped, isTransposed);
    }

    /// <summary>Why a variable is no part of the two models.</summary>
    public static string ReasonLeft(string variable) =>
        variable switch
        {
            _ when variable.EndsWith(FirstMoment, StringComparison.Ordinal) => "Adam's first moment",
            _ when variable.EndsWith(SecondMoment, StringComparison.Ordinal) => "Adam's second moment",
            "global_step" => "the step of the training",
            "_CHECKPOINTABLE_OBJECT_GRAPH" => "TensorFlow's object graph",
            _ when variable.StartsWith("task_specific/", StringComparison.Ordinal) => "a fine-tuned head",
            _ => "no variable of an ELECTRA model",
        };

    private static (string Name, bool IsTransposed) Translate(string name)
    {
        if (name == "generator_lm_head.bias")
        {
            return ("generator_predictions/output_bias", false);
        }

        string[] parts = name.Split('.');
        bool isNorm = parts[^2] == "LayerNorm";
        bool isTable = parts[^2].EndsWith("_embeddings", StringComparison.Ordinal);
        bool isMatrix = !isNorm && !isTable && parts[^1] == "weight";
        string last = (isNorm, parts[^1]) switch
        {
            (true, "weight") => "/gamma",
            (true, _) => "/beta",
            (false, "weight") => isTable ? "" : "/kernel",
            _ => "/bias",
        };
        string path = string.Join('/', parts[..^1])
            .Replace("/layer/", "/layer_", StringComparison.Ordinal)
            .Replace("/dense_prediction", "/dense_1", StringComparison.Ordinal);
        return (path + last, isMatrix);
    }
}
