using System.Text;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Checkpoints.TensorFlow;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Checkpoints.TensorFlow;

/// <summary>Writes checkpoints in TensorFlow's second format, tensors dealt to shards in turn.</summary>
internal sealed record TensorBundleWriter
{
    public int Shards { get; init; } = 1;

    public int BlockBytes { get; init; } = 4096;

    public int RestartInterval { get; init; } = 16;

    public bool Pack { get; init; }

    public void Write(string prefix, IReadOnlyList<(string Name, Tensor Tensor)> tensors)
    {
        MemoryStream[] data = [.. Enumerable.Range(0, Shards).Select(_ => new MemoryStream())];
        SortedDictionary<string, byte[]> entries = new(StringComparer.Ordinal)
        {
            [""] = new ProtoBytes().Number(1, (ulong)Shards).Bytes(3, new ProtoBytes().Number(1, 1).ToArray()).ToArray(),
        };
        foreach ((int i, (string name, Tensor tensor)) in tensors.Index())
        {
            entries.Add(name, Entry(tensor, i % Shards, data[i % Shards]));
        }

        byte[] index = new TableWriter(BlockBytes, RestartInterval, Pack).Write(
            entries.Select(item => (Encoding.UTF8.GetBytes(item.Key), item.Value))
        );
        File.WriteAllBytes(prefix + ".index", index);
        foreach ((int i, MemoryStream shard) in data.Index())
        {
            File.WriteAllBytes($"{prefix}.data-{i:D5}-of-{Shards:D5}", shard.ToArray());
        }
    }

    private static byte[] Entry(Tensor tensor, int shard, MemoryStream data)
    {
        using Tensor plain = tensor.contiguous();
        byte[] bytes = plain.bytes.ToArray();
        ProtoBytes shape = new();
        foreach (long size in tensor.shape)
        {
            shape.Bytes(2, new ProtoBytes().Number(1, (ulong)size).ToArray());
        }

        byte[] entry = new ProtoBytes()
            .Number(1, (ulong)TensorFlowType.Of(tensor.dtype).Number)
            .Bytes(2, shape.ToArray())
            .Number(3, (ulong)shard)
            .Number(4, (ulong)data.Length)
            .Number(5, (ulong)bytes.Length)
            .Fixed32(6, Crc32C.MaskedOf(bytes))
            .ToArray();
        data.Write(bytes);
        return entry;
    }
}
