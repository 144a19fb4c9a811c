using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace ElectraPipeline.Training.Model;

/// <summary>Word, position and segment embeddings, summed and layer-normed: the block that generator and discriminator may share.</summary>
/// <remarks>
/// With a <paramref name="source"/> the tables are differences to the source's, which get no gradient from here; the layer norm is its own.
/// </remarks>
internal sealed class Embeddings(ParameterStore store, string prefix, ElectraConfig config, int? size = null, Embeddings? source = null)
{
    private const string WordsName = ".word_embeddings.weight";
    private const string PositionsName = ".position_embeddings.weight";
    private const string TypesName = ".token_type_embeddings.weight";
    private readonly Parameter positions = store.Leaf(prefix + PositionsName);
    private readonly Parameter types = store.Leaf(prefix + TypesName);
    private readonly Parameter scale = store.Leaf(prefix + ".LayerNorm.weight");
    private readonly Parameter shift = store.Leaf(prefix + ".LayerNorm.bias");
    private readonly long[] width = [size ?? config.EmbeddingSize];

    /// <summary>Width E.</summary>
    public int Size => (int)width[0];

    /// <summary>Word embeddings [V, E], which the language model's head uses transposed.</summary>
    public Parameter Words { get; } = store.Leaf(prefix + WordsName);

    /// <summary>Declares the block's parameters.</summary>
    /// <param name="layout">Receives them.</param>
    /// <param name="prefix">Their names' prefix.</param>
    /// <param name="config">The model's sizes.</param>
    /// <param name="size">Width; null: the main model's.</param>
    /// <param name="differences">Whether the tables are differences to another block's, which start at zero.</param>
    public static void Declare(
        ParameterLayout.Builder layout,
        string prefix,
        ElectraConfig config,
        int? size = null,
        bool differences = false
    )
    {
        int width = size ?? config.EmbeddingSize;
        InitialValue table = differences ? InitialValue.Zero : InitialValue.Embedding;
        layout.Add(prefix + WordsName, table, config.VocabularySize, width);
        layout.Add(prefix + PositionsName, differences ? InitialValue.Zero : InitialValue.Position, config.MaxPositions, width);
        layout.Add(prefix + TypesName, table, config.TypeVocabularySize, width);
        layout.AddLayerNorm(prefix + ".LayerNorm", width);
    }

    /// <summary>Whether a parameter's name is that of one of the tables.</summary>
    public static bool IsTable(string name) =>
        name.EndsWith(WordsName, StringComparison.Ordinal)
        || name.EndsWith(PositionsName, StringComparison.Ordinal)
        || name.EndsWith(TypesName, StringComparison.Ordinal);

    /// <summary>Embeds a batch: [B * L, E].</summary>
    public Tensor Forward(EncoderInput input, DropoutStream? dropout)
    {
        using var scope = NewDisposeScope();
        Tensor sum = Rows(Words, source?.Words, input.Ids).Plus(Rows(types, source?.types, input.Types));
        sum = sum.view(input.BatchSize, input.Length, -1).Plus(First(input.Length));
        Tensor normed = layer_norm(sum, width, scale, shift, config.LayerNormEpsilon).view(-1, Size);
        Tensor result = dropout is null ? normed : dropout.Apply(normed, config.HiddenDropout);
        return result.MoveToOuterDisposeScope();
    }

    private static Tensor Rows(Tensor table, Tensor? shared, Tensor ids)
    {
        Tensor rows = table.index_select(0, ids);
        return shared is null ? rows : shared.detach().index_select(0, ids).Plus(rows);
    }

    private Tensor First(int length)
    {
        Tensor rows = positions.narrow(0, 0, length);
        return source is null ? rows : source.positions.detach().narrow(0, 0, length).Plus(rows);
    }
}
