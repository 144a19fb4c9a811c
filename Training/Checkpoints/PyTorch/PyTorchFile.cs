using static TorchSharp.torch;

namespace ElectraPipeline.Training.Checkpoints.PyTorch;

/// <summary>
/// The state dict in a file of <c>torch.save</c> (<c>pytorch_model.bin</c>), in the zip of PyTorch 1.6 and later or the form before.
/// Nothing in the file is executed: see <see cref="PickleReader"/>.
/// </summary>
internal sealed class PyTorchFile : ITensorSource
{
    private readonly IStorageReader storages;
    private readonly OrderedDictionary<string, PickledTensor> tensors;

    private PyTorchFile(string path, IStorageReader storages, object? stateDict)
    {
        Path = path;
        this.storages = storages;
        tensors = TensorsOf(stateDict);
    }

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Files => [Path];

    /// <inheritdoc/>
    public IReadOnlyList<string> Names => [.. tensors.Keys];

    /// <summary>Opens a file and reads its pickle; values are read when asked for.</summary>
    /// <exception cref="PermanentException">It is missing, damaged, or no plain file of weights; the message says what of it.</exception>
    public static PyTorchFile Open(string path)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PermanentException($"{path}: there is no such file", missing);
        }

        try
        {
            return Open(path, stream);
        }
        catch (InvalidDataException fault)
        {
            stream.Dispose();
            throw new PermanentException($"{path}: {fault.Message}", fault);
        }
    }

    /// <inheritdoc/>
    public bool Contains(string name) => tensors.ContainsKey(name);

    /// <inheritdoc/>
    public StoredTensor Describe(string name) => new(name, $"torch.{TensorOf(name).Storage.Type.Name}", TensorOf(name).Shape);

    /// <inheritdoc/>
    public Tensor Read(string name)
    {
        PickledTensor tensor = TensorOf(name);
        using var scope = NewDisposeScope();
        try
        {
            Tensor values = storages.Read(tensor.Storage);
            Tensor view = tensor.IsContiguous
                ? values.narrow(0, tensor.Offset, (long)tensor.End - tensor.Offset).view([.. tensor.Shape])
                : values.as_strided([.. tensor.Shape], [.. tensor.Strides], tensor.Offset);
            return view.clone().contiguous().MoveToOuterDisposeScope();
        }
        catch (InvalidDataException fault)
        {
            throw new PermanentException($"{Path}: tensor \"{name}\": {fault.Message}", fault);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => storages.Dispose();

    /// <summary>The tensors of a state dict.</summary>
    /// <exception cref="InvalidDataException">It is no dictionary of tensors.</exception>
    internal static OrderedDictionary<string, PickledTensor> TensorsOf(object? stateDict)
    {
        OrderedDictionary<string, PickledTensor> tensors = new(StringComparer.Ordinal);
        foreach ((string name, object? value) in StateDictObjects.RequireDictionary(stateDict, "names its tensors"))
        {
            tensors.Add(
                name,
                value as PickledTensor
                    ?? throw new InvalidDataException($"has \"{name}\", which is no tensor: this is not the state dict of a model alone")
            );
        }

        return tensors;
    }

    private static PyTorchFile Open(string path, FileStream stream)
    {
        Span<byte> start = stackalloc byte[16];
        start = start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        if (SequentialStorages.Matches(start))
        {
            (SequentialStorages sequential, object? stateDict) = SequentialStorages.Open(stream);
            return new PyTorchFile(path, sequential, stateDict);
        }

        if (!start.StartsWith("PK"u8))
        {
            throw new InvalidDataException("starts neither as a zip nor as an older file of torch.save");
        }

        ZippedStorages zipped = new(stream);
        using MemoryStream pickle = new(zipped.Pickle());
        return new PyTorchFile(path, zipped, new PickleReader(pickle).Read());
    }

    private PickledTensor TensorOf(string name) =>
        tensors.TryGetValue(name, out PickledTensor? tensor)
            ? tensor
            : throw new PermanentException($"{Path}: there is no tensor \"{name}\" among its {tensors.Count}");
}
