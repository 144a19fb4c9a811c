using ElectraPipeline.Training.Checkpoints.TensorFlow;
using ElectraPipeline.Training.Pretraining;

namespace ElectraPipeline.Training.Checkpoints.Import;

/// <summary>The models in a checkpoint of the official code, their sizes read off the shapes of their variables.</summary>
internal sealed class TensorFlowModels(TensorFlowCheckpoint checkpoint, int headSize)
{
    private const string Shared = "electra/";
    private const string Own = "generator/";

    /// <summary>The discriminator and the generator, those there are.</summary>
    /// <exception cref="PermanentException">A variable that says a size is missing or of another rank.</exception>
    public IReadOnlyList<ImportSource> Find()
    {
        List<ImportSource> models = [];
        if (checkpoint.Contains("discriminator_predictions/dense/kernel"))
        {
            models.Add(Source(ElectraModelFolder.DiscriminatorName, ElectraArchitecture.PreTraining, Shared, Shared));
        }

        if (checkpoint.Contains("generator_predictions/dense/kernel"))
        {
            // Without an encoder of its own it is the discriminator's: all weights are tied, or the model is a plain language model.
            string encoder = HasEncoder(Own, layer: 0) ? Own : Shared;
            string embeddings = checkpoint.Contains(Own + "embeddings/word_embeddings") ? Own : Shared;
            models.Add(Source(ElectraModelFolder.GeneratorName, ElectraArchitecture.MaskedLanguageModel, encoder, embeddings));
        }

        return models;
    }

    private ImportSource Source(string model, string architecture, string encoder, string embeddings)
    {
        embeddings += "embeddings/";
        HuggingFaceConfig config = ConfigOf(encoder, embeddings);
        return new ImportSource(
            new ImportedModel(model, architecture, config),
            checkpoint,
            [
                .. ElectraArchitecture
                    .Tensors(config, architecture)
                    .Select(item =>
                    {
                        (string variable, bool isTransposed) = ElectraVariables.Of(item.Name, encoder, embeddings);
                        return new TensorMatch(item.Name, item.Shape, variable, isTransposed);
                    }),
            ]
        );
    }

    private HuggingFaceConfig ConfigOf(string encoder, string embeddings)
    {
        string first = encoder + "encoder/layer_0/";
        int hidden = Size(first + "attention/self/query/kernel", dimension: 1);
        if (headSize < 1 || hidden % headSize != 0)
        {
            throw new PermanentException(
                $"{checkpoint.Path}: an encoder is {hidden} wide, which heads of {headSize} do not divide; a TensorFlow "
                    + "checkpoint does not say their width: give it"
            );
        }

        return new HuggingFaceConfig
        {
            VocabSize = Size(embeddings + "word_embeddings", dimension: 0),
            EmbeddingSize = Size(embeddings + "word_embeddings", dimension: 1),
            MaxPositionEmbeddings = Size(embeddings + "position_embeddings", dimension: 0),
            TypeVocabSize = Size(embeddings + "token_type_embeddings", dimension: 0),
            HiddenSize = hidden,
            IntermediateSize = Size(first + "intermediate/dense/kernel", dimension: 1),
            NumHiddenLayers = Enumerable.Range(0, int.MaxValue).TakeWhile(layer => HasEncoder(encoder, layer)).Count(),
            NumAttentionHeads = hidden / headSize,
        };
    }

    private bool HasEncoder(string encoder, int layer) =>
        checkpoint.Contains($"{encoder}encoder/layer_{layer}/attention/self/query/kernel");

    private int Size(string variable, int dimension)
    {
        StoredTensor stored = checkpoint.Describe(variable);
        return stored.Shape is [_, _] && stored.Shape[dimension] is > 0 and <= int.MaxValue
            ? (int)stored.Shape[dimension]
            : throw new PermanentException(
                $"{checkpoint.Path}: variable \"{variable}\" is [{string.Join(", ", stored.Shape)}], not a matrix"
            );
    }
}
