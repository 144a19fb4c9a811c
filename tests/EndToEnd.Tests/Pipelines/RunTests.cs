using System.Text.Json;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.Pipelines;

/// <summary>Whole runs by the real executable, PostgreSQL and LibTorch, undisturbed.</summary>
public sealed class RunTests
{
    [Fact]
    public async Task ARunSucceedsIsReusedAndExports()
    {
        using var project = new TinyProject();
        ProcessResult first = await project.SucceedAsync("run", project.Config, "--watch");
        Assert.Contains("model tiny@1", first.Output);
        Assert.All(first.Output.Split('\n'), line => Assert.True(line.Length <= 80, line));

        ProcessResult second = await project.SucceedAsync("run", project.Config, "--watch", "--json");
        using var json = JsonDocument.Parse(second.Output);
        Assert.All(
            json.RootElement.GetProperty("stages").EnumerateArray(),
            stage => Assert.Equal("reused", stage.GetProperty("state").GetString())
        );

        await project.SucceedAsync("export", "tiny", project.PathOf("exported"));
        foreach (
            string file in (string[])
                ["config.json", "model.safetensors", "vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]
        )
        {
            Assert.True(File.Exists(project.PathOf($"exported/discriminator/{file}")), file);
            Assert.True(File.Exists(project.PathOf($"exported/generator/{file}")), file);
        }

        ProcessResult again = await project.RunAsync("export", "tiny", project.PathOf("exported"));
        Assert.Equal(2, again.ExitCode);
        Assert.Contains("not empty", again.Error);
    }
}
