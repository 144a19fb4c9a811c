using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace ElectraPipeline.Training.Model;

/// <summary>A dense layer of a store's parameters, multiplied in the store's type of products.</summary>
/// <remarks>
/// With bfloat16 this is what autocast does (which TorchSharp lacks): parameters, their gradients, layer norms, softmaxes and losses stay
/// float32, and what a product reads is rounded before it. The result is then bfloat16.
/// </remarks>
internal sealed class DenseLayer(ParameterStore store, string name)
{
    private readonly Parameter weight = store.Leaf(name + ".weight");
    private readonly Parameter bias = store.Leaf(name + ".bias");

    /// <summary>From [N, inputs] to [N, outputs].</summary>
    public Tensor Forward(Tensor input) => Apply(input, weight, bias, store.ProductType);

    /// <summary>The same with parameters that are also used otherwise.</summary>
    public static Tensor Apply(Tensor input, Tensor weight, Tensor bias, ScalarType type) =>
        linear(input.As(type), weight.As(type), bias.As(type));
}

/// <summary>Conversion between types of numbers.</summary>
internal static class NumberTypes
{
    /// <summary>The tensor itself where it has the type already.</summary>
    public static Tensor As(this Tensor tensor, ScalarType type) => tensor.dtype == type ? tensor : tensor.to(type);
}
