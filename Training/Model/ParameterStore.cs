using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Model;

/// <summary>All parameters of a model in one flat tensor and their gradients in another of the same layout.</summary>
/// <remarks>
/// The leaves that autograd sees are views of the flat tensor whose gradients are preset to views of the flat gradient, so that
/// backward accumulates in place and nobody gathers anything.
/// </remarks>
internal sealed class ParameterStore : IDisposable
{
    private readonly Dictionary<string, Parameter> leaves = new(StringComparer.Ordinal);
    private readonly bool ownsValues;

    /// <summary>Allocates zeros on a device.</summary>
    /// <param name="layout">Where each parameter lies.</param>
    /// <param name="device">The device.</param>
    /// <param name="productType">What matrix products are computed in.</param>
    public ParameterStore(ParameterLayout layout, Device device, ScalarType productType = ScalarType.Float32)
        : this(layout, zeros(layout.Length, ScalarType.Float32, device).DetachFromDisposeScope(), productType, ownsValues: true) { }

    private ParameterStore(ParameterLayout layout, Tensor values, ScalarType productType, bool ownsValues)
    {
        this.ownsValues = ownsValues;
        ProductType = productType;
        Layout = layout;
        Values = values;
        Gradients = zeros_like(values).DetachFromDisposeScope();
        foreach (ParameterLeaf leaf in layout.Leaves.Values)
        {
            leaves.Add(leaf.Name, Bind(leaf));
        }
    }

    /// <summary>Where each parameter lies.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>What matrix products of these parameters are computed in; they themselves are float32.</summary>
    public ScalarType ProductType { get; }

    /// <summary>The parameters, [Layout.Length], float32.</summary>
    public Tensor Values { get; }

    /// <summary>The gradients, [Layout.Length], float32.</summary>
    public Tensor Gradients { get; }

    /// <summary>The parameter that autograd sees under the name of its first slot.</summary>
    public Parameter Leaf(string name) => leaves[name];

    /// <summary>A view of one named parameter's values; the caller disposes it.</summary>
    public Tensor Value(string name) => View(Values, name);

    /// <summary>A view of one named parameter's gradient; the caller disposes it.</summary>
    public Tensor Gradient(string name) => View(Gradients, name);

    /// <summary>A store for another thread: the same values, its own gradients.</summary>
    public ParameterStore Replica() => new(Layout, Values, ProductType, ownsValues: false);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Parameter leaf in leaves.Values)
        {
            leaf.Dispose();
        }

        Gradients.Dispose();
        if (ownsValues)
        {
            Values.Dispose();
        }
    }

    private Parameter Bind(ParameterLeaf leaf)
    {
        using var scope = NewDisposeScope();
        long[] shape = [.. leaf.Shape];
        var parameter = new Parameter(Values.narrow(0, leaf.Offset, leaf.Length).view(shape).detach(), requires_grad: true)
        {
            grad = Gradients.narrow(0, leaf.Offset, leaf.Length).view(shape),
        };
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    private Tensor View(Tensor flat, string name)
    {
        ParameterSlot slot = Layout.ByName[name];
        using Tensor part = flat.narrow(0, slot.Offset, slot.Length);
        return part.view([.. slot.Shape]);
    }
}
