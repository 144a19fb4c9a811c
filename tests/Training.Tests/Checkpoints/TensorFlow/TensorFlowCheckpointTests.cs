using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Checkpoints.TensorFlow;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Checkpoints.TensorFlow;

public sealed class TensorFlowCheckpointTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("electra-tensorflow").FullName;

    public TensorFlowCheckpointTests() => set_num_threads(1);

    private string Prefix => Path.Combine(folder, "model.ckpt-7");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(1, 4096, 16, false)]
    [InlineData(3, 64, 1, false)]
    [InlineData(2, 300, 3, true)]
    [InlineData(5, 4096, 16, true)]
    public void What_was_written_is_read(int shards, int blockBytes, int restartInterval, bool pack)
    {
        using var scope = NewDisposeScope();
        (string Name, Tensor Tensor)[] tensors = ManyTensors();
        new TensorBundleWriter
        {
            Shards = shards,
            BlockBytes = blockBytes,
            RestartInterval = restartInterval,
            Pack = pack,
        }.Write(Prefix, tensors);
        using TensorFlowCheckpoint checkpoint = TensorFlowCheckpoint.Open(Prefix);
        Assert.Equal(tensors.Select(item => item.Name).Order(StringComparer.Ordinal), checkpoint.Names);
        Assert.Equal(shards + 1, checkpoint.Files.Count);
        Assert.All(checkpoint.Files, file => Assert.True(File.Exists(file), file));
        foreach ((string name, Tensor tensor) in tensors)
        {
            using Tensor read = checkpoint.Read(name);
            Assert.Equal(tensor.dtype, read.dtype);
            Assert.Equal(tensor.shape, read.shape);
            Assert.True(tensor.bytes.SequenceEqual(read.bytes), name);
        }
    }

    [Fact]
    public void Real_checkpoints_hold_the_published_numbers()
    {
        using var scope = NewDisposeScope();
        using TensorFlowCheckpoint half = Open("half_plus_two");
        Assert.Equal([0.5f, 2f, 3f], new[] { "a", "b", "c" }.Select(name => half.Read(name).item<float>()));

        using TensorFlowCheckpoint mkl = Open("half_plus_two_mkl");
        Assert.Equal([0.5f, 2f, 3f], new[] { "a", "b", "c" }.Select(name => mkl.Read(name).item<float>()));
        Assert.Equal([1L, 1L, 1L, 1L], mkl.Describe("conv2d_1/kernel").Shape);
        Assert.All(mkl.Names, name => Assert.True(mkl.Read(name).isfinite().all().item<bool>(), name));

        using TensorFlowCheckpoint second = Open("half_plus_two_tf2");
        Assert.Equal(
            [0.5f, 2f, 3f],
            new[] { "a", "b", "c" }.Select(name => second.Read(name + "/.ATTRIBUTES/VARIABLE_VALUE").item<float>())
        );
        Assert.Equal("DT_STRING", second.Describe("_CHECKPOINTABLE_OBJECT_GRAPH").Type);

        using TensorFlowCheckpoint text = Open("tf_text_regression");
        Assert.Equal(["_CHECKPOINTABLE_OBJECT_GRAPH"], text.Names);
        Assert.Contains("has type DT_STRING, which is not read as numbers", Fault(() => text.Read(text.Names[0])));

        static TensorFlowCheckpoint Open(string name) =>
            TensorFlowCheckpoint.Open(SharedData.Require($"data/models/tf-checkpoint/{name}") + "/variables");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_flipped_bit_of_any_byte_is_noticed(bool pack)
    {
        using var scope = NewDisposeScope();
        (string, Tensor)[] tensors = [("a/kernel", randn(3, 2)), ("a/kernel/adam_m", randn(3, 2)), ("global_step", tensor(7L))];
        new TensorBundleWriter
        {
            BlockBytes = 40,
            RestartInterval = 2,
            Pack = pack,
        }.Write(Prefix, tensors);
        foreach (string file in Directory.GetFiles(folder))
        {
            byte[] whole = File.ReadAllBytes(file);
            for (int at = 0; at < whole.Length; at++)
            {
                byte[] damaged = [.. whole];
                damaged[at] ^= (byte)(1 << (at % 8));
                File.WriteAllBytes(file, damaged);
                Assert.Contains(Path.GetFileNameWithoutExtension(file), Fault(ReadAll));
            }

            File.WriteAllBytes(file, whole);
        }

        ReadAll();
    }

    [Fact]
    public void A_cut_file_is_named_with_the_place()
    {
        using var scope = NewDisposeScope();
        new TensorBundleWriter { Shards = 2 }.Write(Prefix, ManyTensors());
        string index = Prefix + ".index",
            data = Prefix + ".data-00001-of-00002";
        byte[] wholeIndex = File.ReadAllBytes(index),
            wholeData = File.ReadAllBytes(data);
        for (int length = 0; length < wholeIndex.Length; length += 47)
        {
            File.WriteAllBytes(index, wholeIndex[..length]);
            Assert.StartsWith($"{index}, byte ", Fault(ReadAll));
        }

        File.WriteAllBytes(index, wholeIndex);
        File.WriteAllBytes(data, wholeData[..^1]);
        Assert.StartsWith($"{data}: tensor ", Fault(ReadAll));
        File.Delete(data);
        Assert.Contains($"{data}: there is no such file", Fault(ReadAll));
        File.Delete(index);
        Assert.Contains($"{index}: there is no such file", Fault(ReadAll));
    }

    [Fact]
    public void A_checkpoint_is_found_by_prefix_index_or_folder()
    {
        using var scope = NewDisposeScope();
        Assert.Null(TensorFlowCheckpoint.FindPrefix(folder));
        new TensorBundleWriter().Write(Prefix, ManyTensors());
        Assert.All([Prefix, Prefix + ".index", folder], path => Assert.Equal(Prefix, TensorFlowCheckpoint.FindPrefix(path)));
        new TensorBundleWriter().Write(Prefix + "0", ManyTensors());
        Assert.Contains("there are 2 checkpoints", Fault(() => TensorFlowCheckpoint.FindPrefix(folder)));
    }

    private static string Fault(Func<object?> act) => Assert.Throws<PermanentException>(act).Message;

    private static string Fault(Action act) => Assert.Throws<PermanentException>(act).Message;

    private static (string Name, Tensor Tensor)[] ManyTensors() =>
        [
            .. Enumerable
                .Range(0, 60)
                .Select(i => ($"electra/encoder/layer_{i / 4}/attention/self/part_{i % 4}/kernel", randn(i % 5, 1 + (i % 3)))),
            ("global_step", tensor(123_456_789_012L)),
            ("half", randn(7).to(ScalarType.Float16)),
            ("brain", randn(2, 3).to(ScalarType.BFloat16)),
            ("mask", tensor(new[] { true, false, true })),
            ("double", randn(4, dtype: ScalarType.Float64)),
        ];

    private void ReadAll()
    {
        using TensorFlowCheckpoint checkpoint = TensorFlowCheckpoint.Open(Prefix);
        foreach (string name in checkpoint.Names)
        {
            checkpoint.Read(name).Dispose();
        }
    }
}
