using static TorchSharp.torch;

namespace ElectraPipeline.Training.Checkpoints.TensorFlow;

/// <summary>An element type under its number and name in TensorFlow; texts have no type in TorchSharp.</summary>
internal sealed record TensorFlowType(int Number, string Name, ScalarType? Type, int ElementSize)
{
    /// <summary>Number of the type of texts.</summary>
    public const int Text = 7;

    private static readonly TensorFlowType[] All =
    [
        new(1, "DT_FLOAT", ScalarType.Float32, 4),
        new(2, "DT_DOUBLE", ScalarType.Float64, 8),
        new(3, "DT_INT32", ScalarType.Int32, 4),
        new(4, "DT_UINT8", ScalarType.Byte, 1),
        new(5, "DT_INT16", ScalarType.Int16, 2),
        new(6, "DT_INT8", ScalarType.Int8, 1),
        new(Text, "DT_STRING", null, 0),
        new(9, "DT_INT64", ScalarType.Int64, 8),
        new(10, "DT_BOOL", ScalarType.Bool, 1),
        new(14, "DT_BFLOAT16", ScalarType.BFloat16, 2),
        new(19, "DT_HALF", ScalarType.Float16, 2),
    ];

    /// <summary>The type of that number; unknown ones can be listed but not read.</summary>
    public static TensorFlowType Of(int number) => Array.Find(All, type => type.Number == number) ?? new(number, $"DT_{number}", null, 0);

    /// <summary>The type as TensorFlow numbers it.</summary>
    public static TensorFlowType Of(ScalarType type) =>
        Array.Find(All, item => item.Type == type) ?? throw new ArgumentException($"TensorFlow has no element type {type}", nameof(type));
}
