using static TorchSharp.torch;

namespace ElectraPipeline.Training.Checkpoints.PyTorch;

/// <summary>A class or function that a pickle names.</summary>
internal sealed record PickleGlobal(string Module, string Name)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Module}.{Name}";
}

/// <summary>Raw values that tensors look into; they lie outside the pickle.</summary>
/// <param name="Key">Under which name.</param>
/// <param name="Type">Their element type.</param>
/// <param name="Elements">How many.</param>
internal sealed record PickledStorage(string Key, StorageType Type, long Elements);

/// <summary>A tensor of a state dict: a view of a storage.</summary>
internal sealed record PickledTensor(PickledStorage Storage, long Offset, IReadOnlyList<long> Shape, IReadOnlyList<long> Strides)
{
    /// <summary>Whether its values lie one after the other, last dimension first.</summary>
    public bool IsContiguous
    {
        get
        {
            long expected = 1;
            for (int i = Shape.Count - 1; i >= 0; expected *= Shape[i--])
            {
                if (Strides[i] != expected && Shape[i] > 1)
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>Behind the last element that it looks at; the element behind <see cref="Offset"/> if it has none.</summary>
    public Int128 End =>
        Shape.Contains(0)
            ? Offset
            : Offset + 1 + Shape.Zip(Strides).Aggregate((Int128)0, (sum, item) => sum + ((Int128)(item.First - 1) * item.Second));
}

/// <summary>A storage class of PyTorch with its element type.</summary>
internal sealed record StorageType(string Name, ScalarType Type, int ElementSize)
{
    private static readonly StorageType[] All =
    [
        new("FloatStorage", ScalarType.Float32, 4),
        new("DoubleStorage", ScalarType.Float64, 8),
        new("HalfStorage", ScalarType.Float16, 2),
        new("BFloat16Storage", ScalarType.BFloat16, 2),
        new("LongStorage", ScalarType.Int64, 8),
        new("IntStorage", ScalarType.Int32, 4),
        new("ShortStorage", ScalarType.Int16, 2),
        new("CharStorage", ScalarType.Int8, 1),
        new("ByteStorage", ScalarType.Byte, 1),
        new("BoolStorage", ScalarType.Bool, 1),
    ];

    /// <summary>The type of a class of module "torch"; null: it is none of them.</summary>
    public static StorageType? Find(PickleGlobal global) =>
        global.Module == "torch" ? Array.Find(All, type => type.Name == global.Name) : null;
}
