using System.Buffers.Binary;
using System.Text;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Checkpoints;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Checkpoints;

public sealed class SafeTensorsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("electra-safetensors").FullName;

    public SafeTensorsTests() => set_num_threads(1);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("discriminator/model.safetensors")]
    [InlineData("generator/model.safetensors")]
    [InlineData("forward.safetensors")]
    [InlineData("training.safetensors")]
    public void A_golden_file_written_again_has_the_same_names_shapes_and_bytes(string name)
    {
        using var scope = NewDisposeScope();
        string golden = SharedData.Require("golden/electra-tiny/" + name);
        using SafeTensorsFile original = SafeTensorsFile.Open(golden);
        string copyPath = Path.Combine(folder, "copy.safetensors");
        SafeTensors.Write(copyPath, [.. original.Names.Select(tensor => (tensor, original.Read(tensor)))]);

        using SafeTensorsFile copy = SafeTensorsFile.Open(copyPath);
        Assert.Equal(original.Names.Order(), copy.Names.Order());
        foreach (string tensor in original.Names)
        {
            Assert.Equal(original.Entry(tensor).Type, copy.Entry(tensor).Type);
            Assert.Equal(original.Entry(tensor).Shape, copy.Entry(tensor).Shape);
            Assert.Equal(Values(golden, original.Entry(tensor)), Values(copyPath, copy.Entry(tensor)));
        }
    }

    [Fact]
    public void Every_element_type_comes_back_bit_for_bit()
    {
        using var scope = NewDisposeScope();
        Tensor source = tensor(new[] { -3.0, -0.5, 0.0, 1.0, 2.0, 7.0 }).reshape(2, 3);
        ScalarType[] types =
        [
            ScalarType.Bool,
            ScalarType.Byte,
            ScalarType.Int8,
            ScalarType.Int16,
            ScalarType.Int32,
            ScalarType.Int64,
            ScalarType.Float16,
            ScalarType.BFloat16,
            ScalarType.Float32,
            ScalarType.Float64,
        ];
        string path = Path.Combine(folder, "types.safetensors");
        SafeTensors.Write(path, [.. types.Select(type => (type.ToString(), source.abs().to_type(type)))]);

        Dictionary<string, Tensor> read = SafeTensors.Read(path);
        Assert.Equal(types.Length, read.Count);
        foreach (ScalarType type in types)
        {
            Assert.Equal(type, read[type.ToString()].dtype);
            Assert.True(source.abs().to_type(type).bytes.SequenceEqual(read[type.ToString()].bytes), type.ToString());
        }

        using SafeTensorsFile file = SafeTensorsFile.Open(path);
        Assert.All(file.Names, name => Assert.Equal(0, file.Entry(name).Start % SafeTensorsDtype.Of(file.Entry(name).Type).ElementSize));
    }

    [Fact]
    public void Scalars_empty_tensors_views_and_parameters_are_written_by_value()
    {
        using var scope = NewDisposeScope();
        Tensor transposed = arange(6, ScalarType.Float32).reshape(2, 3).t();
        string path = Path.Combine(folder, "odd.safetensors");
        SafeTensors.Write(
            path,
            [("scalar", tensor(4.5f)), ("empty", zeros(0, 7)), ("view", transposed), ("parameter", torch.nn.Parameter(ones(2)))],
            new Dictionary<string, string> { ["format"] = "pt" }
        );

        Dictionary<string, Tensor> read = SafeTensors.Read(path);
        Assert.Equal([], read["scalar"].shape);
        Assert.Equal(4.5f, read["scalar"].item<float>());
        Assert.Equal([0L, 7L], read["empty"].shape);
        Assert.Equal([0f, 3f, 1f, 4f, 2f, 5f], read["view"].data<float>().ToArray());
        Assert.False(read["parameter"].requires_grad);
        using SafeTensorsFile file = SafeTensorsFile.Open(path);
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal(0, BinaryPrimitives.ReadInt64LittleEndian(File.ReadAllBytes(path)) % 8);
    }

    [Fact]
    public void A_failed_write_leaves_the_old_file()
    {
        using var scope = NewDisposeScope();
        string path = Path.Combine(folder, "kept.safetensors");
        SafeTensors.Write(path, [("a", ones(3))]);
        byte[] before = File.ReadAllBytes(path);

        Assert.Throws<IOException>(() =>
            DurableFile.Write(
                path,
                stream =>
                {
                    stream.Write([1, 2, 3]);
                    throw new IOException("disk full");
                }
            )
        );
        Assert.Throws<ArgumentException>(() => SafeTensors.Write(path, [("a", ones(3)), ("a", ones(3))]));
        Assert.Equal(before, File.ReadAllBytes(path));
    }

    [Theory]
    [InlineData(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        7,
        "\"a\" ends at byte 8 of the values, the file has 7"
    )]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 9, "end at byte 8 of the values, the file has 9")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "\"a\" has shape [3] of F32, 12 bytes, but 8 bytes")]
    [InlineData("{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[8],\"data_offsets\":[0,8]}}", 8, "\"a\" has the element type \"F8_E4M3\"")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "\"a\" has -2 in its shape")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,8]}}", 8, "more than 2^63 bytes")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "\"a\" has data_offsets [8, 0]")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "\"a\" has the keys [dtype, shape]")]
    [InlineData(
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[4,12]}}",
        12,
        "\"b\" starts at byte 4 of the values, \"a\" ends at 8: an overlap"
    )]
    [InlineData(
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[9,10]}}",
        10,
        "a gap"
    )]
    [InlineData(
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
        2,
        "the key \"a\" twice"
    )]
    [InlineData("{\"__metadata__\":{\"format\":1}}", 0, "\"format\" twice or with a value that is not text")]
    [InlineData("[1]", 0, "a JSON Array, not an object")]
    [InlineData("{\"a\":", 0, "not JSON")]
    public void A_false_header_is_refused_by_name(string header, int valueBytes, string expected)
    {
        string path = WriteRaw(header, valueBytes);
        PermanentException fault = Assert.Throws<PermanentException>(() => SafeTensors.Read(path));
        Assert.StartsWith(path, fault.Message);
        Assert.Contains(expected, fault.Message);
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused()
    {
        using var scope = NewDisposeScope();
        string path = Path.Combine(folder, "whole.safetensors");
        SafeTensors.Write(path, [("a", ones(2, 2)), ("b", zeros(3))]);
        byte[] whole = File.ReadAllBytes(path);
        string cut = Path.Combine(folder, "cut.safetensors");
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(cut, whole[..length]);
            Assert.Throws<PermanentException>(() => SafeTensorsFile.Open(cut).Dispose());
        }
    }

    [Fact]
    public void A_tensor_that_is_not_there_is_named()
    {
        string path = WriteRaw("{}", 0);
        using SafeTensorsFile file = SafeTensorsFile.Open(path);
        Assert.Contains("\"electra.x\"", Assert.Throws<PermanentException>(() => file.Read("electra.x")).Message);
        Assert.Contains("no such file", Assert.Throws<PermanentException>(() => SafeTensors.Read(path + "x")).Message);
    }

    private static byte[] Values(string path, SafeTensorsEntry entry)
    {
        byte[] file = File.ReadAllBytes(path);
        int start = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        return file[(start + (int)entry.Start)..(start + (int)entry.End)];
    }

    private string WriteRaw(string header, int valueBytes)
    {
        string path = Path.Combine(folder, "raw.safetensors");
        File.WriteAllBytes(
            path,
            [
                .. BitConverter.GetBytes((ulong)Encoding.UTF8.GetByteCount(header)),
                .. Encoding.UTF8.GetBytes(header),
                .. new byte[valueBytes],
            ]
        );
        return path;
    }
}
