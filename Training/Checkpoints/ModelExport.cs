using static TorchSharp.torch;

namespace ElectraPipeline.Training.Checkpoints;

/// <summary>Copies a "model" artifact, or a fine-tuned one, as folders that Hugging Face loads, in the element type asked for.</summary>
public static class ModelExport
{
    private static readonly Dictionary<string, ScalarType> Types = new(StringComparer.Ordinal)
    {
        ["float32"] = ScalarType.Float32,
        ["float16"] = ScalarType.Float16,
        ["bfloat16"] = ScalarType.BFloat16,
    };

    /// <summary>Names of the element types, as PyTorch has them.</summary>
    public static IReadOnlyList<string> ElementTypes => [.. Types.Keys];

    /// <summary>
    /// Copies every file of <paramref name="source"/> below <paramref name="target"/>, each flushed to the disk, weights and their
    /// configuration in the named type. In float32 weights are copied byte for byte.
    /// </summary>
    /// <exception cref="PermanentException">A weight is beyond the range of the type, or a file is damaged.</exception>
    /// <exception cref="OperationCanceledException">Asked to stop; the copy is incomplete.</exception>
    public static void Copy(string source, string target, string elementType, CancellationToken cancellationToken)
    {
        foreach (string file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            string copy = Path.Combine(target, Path.GetRelativePath(source, file)),
                folder = Path.GetDirectoryName(file)!;
            bool isConverted = elementType != "float32" && File.Exists(Path.Combine(folder, HuggingFaceFolder.ConfigName));
            switch (Path.GetFileName(file))
            {
                case WeightFiles.SafeTensorsName when isConverted:
                    ConvertWeights(file, copy, elementType);
                    break;
                case HuggingFaceFolder.ConfigName when isConverted:
                    ConvertConfig(file, copy, elementType);
                    break;
                default:
                    using (FileStream content = File.OpenRead(file))
                    {
                        DurableFile.Write(copy, content.CopyTo);
                    }

                    break;
            }
        }
    }

    private static void ConvertWeights(string file, string copy, string elementType)
    {
        using var scope = NewDisposeScope();
        using SafeTensorsFile weights = SafeTensorsFile.Open(file);
        (string, Tensor)[] converted =
        [
            .. weights.Names.Select(name => (name, Convert(weights.Path, name, weights.Read(name), elementType))),
        ];
        SafeTensors.Write(copy, converted, weights.Metadata);
    }

    private static Tensor Convert(string path, string name, Tensor values, string elementType)
    {
        using (values)
        {
            Tensor converted = values.to_type(Types[elementType]);
            return converted.isfinite().all().item<bool>() || !values.isfinite().all().item<bool>()
                ? converted
                : throw new PermanentException(
                    $"{path}: tensor \"{name}\" has values up to {values.abs().max().item<float>():G4}, "
                        + $"more than {elementType} holds; use bfloat16 or float32"
                );
        }
    }

    private static void ConvertConfig(string file, string copy, string elementType) =>
        HuggingFaceFolder.WriteConfig(copy, HuggingFaceConfig.Read(file) with { ElementType = elementType });
}
