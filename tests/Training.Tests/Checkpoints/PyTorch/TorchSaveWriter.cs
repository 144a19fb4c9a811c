using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Checkpoints.PyTorch;

/// <summary>
/// Writes float32 state dicts as <c>torch.save</c> does: pickle protocol 2, a storage a tensor, zipped or one after the other.
/// </summary>
internal sealed class TorchSaveWriter(bool zip)
{
    private readonly MemoryStream pickle = new();

    public static void Write(string path, IReadOnlyList<(string Name, Tensor Tensor)> tensors, bool zip) =>
        File.WriteAllBytes(path, zip ? Zipped(tensors) : Sequential(tensors));

    private static byte[] Zipped(IReadOnlyList<(string Name, Tensor Tensor)> tensors)
    {
        using MemoryStream file = new();
        using (ZipArchive archive = new(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add("data.pkl", new TorchSaveWriter(zip: true).StateDict(tensors));
            foreach ((int i, (string _, Tensor tensor)) in tensors.Index())
            {
                Add($"data/{i}", tensor.bytes.ToArray());
            }

            Add("version", "3\n"u8.ToArray());

            void Add(string name, byte[] content)
            {
                using Stream entry = archive.CreateEntry("pytorch_model/" + name, CompressionLevel.NoCompression).Open();
                entry.Write(content);
            }
        }

        return file.ToArray();
    }

    private static byte[] Sequential(IReadOnlyList<(string Name, Tensor Tensor)> tensors)
    {
        using MemoryStream file = new();
        file.Write([0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.']);
        file.Write([0x80, 2, (byte)'M', 0xE9, 3, (byte)'.']);
        TorchSaveWriter machine = new(zip: false);
        machine.Code('}').Text("little_endian").Code('\x88').Code('s').Code('.');
        file.Write([0x80, 2, .. machine.pickle.ToArray()]);
        file.Write(new TorchSaveWriter(zip: false).StateDict(tensors));
        TorchSaveWriter keys = new(zip: false);
        keys.Code(']').Code('(');
        for (int i = 0; i < tensors.Count; i++)
        {
            keys.Text($"{i}");
        }

        keys.Code('e').Code('.');
        file.Write([0x80, 2, .. keys.pickle.ToArray()]);
        foreach ((_, Tensor tensor) in tensors)
        {
            file.Write(BitConverter.GetBytes(tensor.numel()));
            file.Write(tensor.bytes);
        }

        return file.ToArray();
    }

    private byte[] StateDict(IReadOnlyList<(string Name, Tensor Tensor)> tensors)
    {
        Code('\x80').Code('\x02').Global("collections", "OrderedDict").Code(')').Code('R').Code('(');
        foreach ((int i, (string name, Tensor tensor)) in tensors.Index())
        {
            Text(name).Global("torch._utils", "_rebuild_tensor_v2").Code('(');
            Code('(').Text("storage").Global("torch", "FloatStorage").Text($"{i}").Text("cpu").Number(tensor.numel());
            (zip ? this : Code('N')).Code('t').Code('Q').Number(0);
            Sizes(tensor.shape).Sizes(tensor.stride()).Code('\x89');
            Global("collections", "OrderedDict").Code(')').Code('R').Code('t').Code('R');
        }

        Code('u').Code('.');
        return pickle.ToArray();
    }

    private TorchSaveWriter Code(char code)
    {
        pickle.WriteByte((byte)code);
        return this;
    }

    private TorchSaveWriter Global(string module, string name)
    {
        pickle.Write(Encoding.ASCII.GetBytes($"c{module}\n{name}\n"));
        return this;
    }

    private TorchSaveWriter Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        pickle.Write([(byte)'X', .. BitConverter.GetBytes(bytes.Length), .. bytes]);
        return this;
    }

    private TorchSaveWriter Number(long number)
    {
        byte[] bytes = new byte[5];
        bytes[0] = (byte)'J';
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(1), (int)number);
        pickle.Write(bytes);
        return this;
    }

    private TorchSaveWriter Sizes(long[] sizes)
    {
        Code('(');
        Array.ForEach(sizes, size => Number(size));
        return Code('t');
    }
}
