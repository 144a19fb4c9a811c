using System.Collections.Immutable;

namespace ElectraPipeline.Training.Model;

/// <summary>How a parameter's first values are drawn.</summary>
internal enum InitialValue
{
    /// <summary>A linear layer's weight [out, in].</summary>
    Weight,

    /// <summary>An embedding table [rows, E].</summary>
    Embedding,

    /// <summary>Position embeddings [positions, E].</summary>
    Position,

    /// <summary>A weight that TensorFlow's default initializer draws in every case: Glorot uniform.</summary>
    GlorotWeight,

    /// <summary>The discriminator's last weight [1, H]: Glorot uniform in the official code.</summary>
    DetectionWeight,

    /// <summary>Biases.</summary>
    Zero,

    /// <summary>Layer norms' scales.</summary>
    One,
}

/// <summary>One named tensor inside the flat buffer, as the state dict knows it.</summary>
/// <param name="Name">Its name: an encoder's prefix ("discriminator.") and Hugging Face's state-dict name.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Offset">First element, counted in elements of the flat buffer.</param>
/// <param name="Initial">How it starts.</param>
internal sealed record ParameterSlot(string Name, ImmutableArray<long> Shape, long Offset, InitialValue Initial)
{
    /// <summary>Elements.</summary>
    public long Length { get; } = Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>Whether weight decay applies: to all but biases and layer norms, which are the vectors.</summary>
    public bool Decays => Shape.Length > 1;
}

/// <summary>What autograd sees as one parameter: a slot, or several stacked along dimension 0 (query, key and value).</summary>
internal sealed record ParameterLeaf(string Name, ImmutableArray<long> Shape, long Offset, long Length);

/// <summary>Where each parameter lies in one flat buffer: decayed ones first, each leaf aligned to a cache line.</summary>
/// <remarks>
/// One buffer makes the optimizer one pass over memory, the all-reduce of replicas one sum, and a checkpoint one tensor.
/// </remarks>
internal sealed class ParameterLayout
{
    private const long Alignment = 16;

    private ParameterLayout(ImmutableArray<ParameterSlot> slots, Dictionary<string, ParameterLeaf> leaves, long length)
    {
        Slots = slots;
        Leaves = leaves;
        Length = length;
        ByName = slots.ToDictionary(slot => slot.Name, StringComparer.Ordinal);
    }

    /// <summary>All slots by offset.</summary>
    public ImmutableArray<ParameterSlot> Slots { get; }

    /// <summary>Slots by name.</summary>
    public IReadOnlyDictionary<string, ParameterSlot> ByName { get; }

    /// <summary>Leaves by the name of their first slot.</summary>
    public IReadOnlyDictionary<string, ParameterLeaf> Leaves { get; }

    /// <summary>Elements of the flat buffer, alignment gaps (always zero) included.</summary>
    public long Length { get; }

    /// <summary>Collects declarations and places them.</summary>
    internal sealed class Builder
    {
        private readonly List<(string[] Names, long[] Shape, InitialValue Initial)> declared = [];

        /// <summary>Declares one parameter.</summary>
        public void Add(string name, InitialValue initial, params long[] shape) => declared.Add(([name], shape, initial));

        /// <summary>Declares parameters of one shape that lie one after the other, so that one operation can use them all.</summary>
        public void AddStacked(string[] names, InitialValue initial, params long[] shape) => declared.Add((names, shape, initial));

        /// <summary>Declares a dense layer's weight [outputs, inputs] and bias.</summary>
        public void AddLinear(string prefix, int outputs, int inputs, InitialValue weight = InitialValue.Weight)
        {
            Add(prefix + ".weight", weight, outputs, inputs);
            Add(prefix + ".bias", InitialValue.Zero, outputs);
        }

        /// <summary>Declares a layer norm's scale and shift.</summary>
        public void AddLayerNorm(string prefix, int size)
        {
            Add(prefix + ".weight", InitialValue.One, size);
            Add(prefix + ".bias", InitialValue.Zero, size);
        }

        /// <summary>Places everything declared.</summary>
        public ParameterLayout Build()
        {
            var slots = ImmutableArray.CreateBuilder<ParameterSlot>();
            var leaves = new Dictionary<string, ParameterLeaf>(StringComparer.Ordinal);
            long offset = 0;
            foreach ((string[] names, long[] shape, InitialValue initial) in declared.OrderBy(item => item.Shape.Length > 1 ? 0 : 1))
            {
                long start = offset = (offset + Alignment - 1) / Alignment * Alignment;
                foreach (string name in names)
                {
                    var slot = new ParameterSlot(name, [.. shape], offset, initial);
                    slots.Add(slot);
                    offset += slot.Length;
                }

                leaves.Add(names[0], new ParameterLeaf(names[0], [shape[0] * names.Length, .. shape[1..]], start, offset - start));
            }

            return new ParameterLayout(slots.ToImmutable(), leaves, (offset + Alignment - 1) / Alignment * Alignment);
        }
    }
}
