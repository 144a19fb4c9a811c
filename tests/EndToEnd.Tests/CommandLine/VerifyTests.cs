using System.Buffers.Binary;
using System.Text.Json;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.CommandLine;

/// <summary>"electra verify" by the real executable, on the reference numbers as they are and with one of them changed.</summary>
public sealed class VerifyTests : IDisposable
{
    private static readonly Dictionary<string, string?> Environment = new()
    {
        ["ELECTRA_DATA"] = "/nonexistent",
        ["ELECTRA_DATABASE"] = null,
    };

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task TheReferenceIsWithinTolerance()
    {
        ProcessResult result = await BuiltElectra.RunAsync(Environment, "verify", SharedData.Require("golden/electra-tiny"));
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("comparisons are within tolerance", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("forward.safetensors", "discriminator.logits", 2e-5f, "forward/discriminator.logits")]
    [InlineData(
        "training.safetensors",
        "final.generator.generator_lm_head.bias",
        2e-4f,
        "training/final parameters generator.generator_lm_head.bias"
    )]
    [InlineData(
        "training.safetensors",
        "final.generator.generator_lm_head.bias",
        float.NaN,
        "training/final parameters generator.generator_lm_head.bias"
    )]
    public async Task ANumberThatDiffersIsNamedAndFails(string file, string tensor, float change, string named)
    {
        Copy(SharedData.Require("golden/electra-tiny"), folder.Path);
        Change(folder[file], tensor, change);
        ProcessResult result = await BuiltElectra.RunAsync(Environment, "verify", folder.Path, "--json");
        Assert.Equal(1, result.ExitCode);
        using JsonDocument document = JsonDocument.Parse(result.Output);
        JsonElement failed = Assert.Single(
            document.RootElement.EnumerateArray(),
            difference => !difference.GetProperty("passed").GetBoolean()
        );
        Assert.Equal(named, failed.GetProperty("name").GetString());
        Assert.Equal(float.IsNaN(change) ? JsonValueKind.Null : JsonValueKind.Number, failed.GetProperty("absolute").ValueKind);
    }

    private static void Copy(string source, string target)
    {
        foreach (string path in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(target, Path.GetRelativePath(source, path));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.WriteAllBytes(copy, File.ReadAllBytes(path)); // the source may be read-only
        }
    }

    /// <summary>Adds to the first number of a float32 tensor: a file is the header's length, the header, the values.</summary>
    private static void Change(string path, string tensor, float change)
    {
        byte[] bytes = File.ReadAllBytes(path);
        int header = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        using JsonDocument document = JsonDocument.Parse(bytes.AsMemory(sizeof(long), header));
        int start = sizeof(long) + header + document.RootElement.GetProperty(tensor).GetProperty("data_offsets")[0].GetInt32();
        Span<byte> place = bytes.AsSpan(start, sizeof(float));
        BinaryPrimitives.WriteSingleLittleEndian(place, BinaryPrimitives.ReadSingleLittleEndian(place) + change);
        File.WriteAllBytes(path, bytes);
    }
}
