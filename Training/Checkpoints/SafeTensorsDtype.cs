using static TorchSharp.torch;

namespace ElectraPipeline.Training.Checkpoints;

/// <summary>An element type, under its names in the safetensors format and in TorchSharp, with its size in bytes.</summary>
internal sealed record SafeTensorsDtype(string Name, ScalarType Type, int ElementSize)
{
    private static readonly SafeTensorsDtype[] All =
    [
        new("F32", ScalarType.Float32, 4),
        new("F16", ScalarType.Float16, 2),
        new("BF16", ScalarType.BFloat16, 2),
        new("F64", ScalarType.Float64, 8),
        new("I64", ScalarType.Int64, 8),
        new("I32", ScalarType.Int32, 4),
        new("I16", ScalarType.Int16, 2),
        new("I8", ScalarType.Int8, 1),
        new("U8", ScalarType.Byte, 1),
        new("BOOL", ScalarType.Bool, 1),
    ];

    /// <summary>The names that can be read, for messages.</summary>
    public static string Known => string.Join(", ", All.Select(dtype => dtype.Name));

    public static SafeTensorsDtype? Find(string name) => Array.Find(All, dtype => dtype.Name == name);

    public static SafeTensorsDtype Of(ScalarType type) =>
        Array.Find(All, dtype => dtype.Type == type)
        ?? throw new ArgumentException($"element type {type} cannot be written; known: " + $"{Known}");
}
