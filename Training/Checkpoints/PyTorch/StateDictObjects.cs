namespace ElectraPipeline.Training.Checkpoints.PyTorch;

/// <summary>The few classes and functions that the pickle of a state dict may name.</summary>
internal static class StateDictObjects
{
    private const string Tensor = "torch._utils._rebuild_tensor_v2";
    private const string Parameter = "torch._utils._rebuild_parameter";
    private const string Dictionary = "collections.OrderedDict";

    /// <summary>What calling a global gives.</summary>
    /// <exception cref="InvalidDataException">It is none of the few, or the arguments are not its own.</exception>
    public static object? Call(object? callee, object? arguments)
    {
        object?[] given = arguments as object?[] ?? throw new InvalidDataException("calls without a list of arguments");
        string name = callee is PickleGlobal global ? global.ToString() : throw new InvalidDataException("calls what is no function");
        return (name, given) switch
        {
            (Dictionary, []) => new OrderedDictionary<string, object?>(StringComparer.Ordinal),
            (Tensor, [PickledStorage storage, long offset, object?[] shape, object?[] strides, bool, ..]) => MakeTensor(
                storage,
                offset,
                shape,
                strides
            ),
            (Parameter, [PickledTensor tensor, bool, ..]) => tensor,
            (Dictionary or Tensor or Parameter, _) => throw new InvalidDataException(
                $"calls {name} with {given.Length} arguments not known here"
            ),
            _ => throw new InvalidDataException(
                $"calls {name}, which no state dict needs: this is not a plain file of weights. Refused; "
                    + "convert it to safetensors where it is trusted"
            ),
        };
    }

    /// <summary>The storage that a pickle points to outside itself.</summary>
    /// <exception cref="InvalidDataException">It points to something else.</exception>
    public static PickledStorage Outside(object? id)
    {
        if (
            id is not object?[] { Length: >= 5 } parts
            || parts is not ["storage", PickleGlobal global, string key, string, long elements, ..]
        )
        {
            throw new InvalidDataException("points outside to what is no storage");
        }

        if (parts.Length > 5 && parts[5] is not null)
        {
            throw new InvalidDataException($"storage \"{key}\" is a view of another, as versions of PyTorch before 0.4 wrote it");
        }

        StorageType type = StorageType.Find(global) ?? throw new InvalidDataException($"storage \"{key}\" has the unknown type {global}");
        return elements >= 0
            ? new PickledStorage(key, type, elements)
            : throw new InvalidDataException($"storage \"{key}\" has {elements} elements");
    }

    /// <summary>The dictionary that a value must be.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static OrderedDictionary<string, object?> RequireDictionary(object? value, string what) =>
        value as OrderedDictionary<string, object?> ?? throw new InvalidDataException($"{what} on what is no dictionary");

    private static PickledTensor MakeTensor(PickledStorage storage, long offset, object?[] shape, object?[] strides)
    {
        PickledTensor tensor = new(storage, offset, Sizes(shape), Sizes(strides));
        bool fits = tensor.Shape.Count == tensor.Strides.Count && offset >= 0 && tensor.End <= storage.Elements;
        return fits
            ? tensor
            : throw new InvalidDataException(
                $"has a tensor [{string.Join(", ", tensor.Shape)}] from element {offset} "
                    + $"of storage \"{storage.Key}\", which has {storage.Elements}"
            );
    }

    private static long[] Sizes(object?[] values) =>
        Array.ConvertAll(
            values,
            value =>
                value is long size and >= 0
                    ? size
                    : throw new InvalidDataException($"has a shape or strides with {value ?? "nothing"} in it")
        );
}
