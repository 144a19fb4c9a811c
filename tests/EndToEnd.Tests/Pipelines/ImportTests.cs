using System.Text.Json;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.Pipelines;

/// <summary>A model of another program, from its folder to the folders that are exported.</summary>
public sealed class ImportTests
{
    [Fact]
    public async Task AnImportedModelIsFineTunedAndExported()
    {
        using var project = new TinyProject();
        project.WriteImportable("foreign");
        ProcessResult inspected = await project.RunAsync("import", project.PathOf("foreign"), "--inspect", "--json");
        Assert.True(inspected.ExitCode == 0, inspected.ToString());
        using (var json = JsonDocument.Parse(inspected.Output))
        {
            Assert.Empty(json.RootElement.GetProperty("faults").EnumerateArray());
            Assert.Equal("Hugging Face", json.RootElement.GetProperty("format").GetString());
        }

        ProcessResult imported = await project.RunAsync("import", project.PathOf("foreign"), "--name", "foreign");
        Assert.True(imported.ExitCode == 0, imported.ToString());
        File.WriteAllText(
            project.PathOf("tuned.json"),
            """
            {"name": "tuned", "from": "foreign", "finetune": [{"name": "pets", "train": "pets.tsv", "epochs": 1, "sequenceLength": 16}]}
            """
        );
        ProcessResult run = await project.RunAsync("run", project.PathOf("tuned.json"), "--watch");
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Contains("pets accuracy", run.Output);

        ProcessResult models = await project.RunAsync("models", "--json");
        using (var json = JsonDocument.Parse(models.Output))
        {
            JsonElement tuned = json.RootElement.EnumerateArray().Single(model => model.GetProperty("model").GetString() == "tuned");
            Assert.Equal(1, tuned.GetProperty("source").GetProperty("from").GetProperty("version").GetInt32());
            JsonElement foreign = json.RootElement.EnumerateArray().Single(model => model.GetProperty("model").GetString() == "foreign");
            Assert.Equal(foreign.GetProperty("artifact").GetString(), tuned.GetProperty("artifact").GetString());
            Assert.Contains("config.json", foreign.GetProperty("source").GetProperty("imported").GetProperty("files").ToString());
        }

        ProcessResult export = await project.RunAsync("export", "tuned", project.PathOf("half"), "--dtype", "float16");
        Assert.True(export.ExitCode == 0, export.ToString());
        Assert.Contains("\"torch_dtype\": \"float16\"", File.ReadAllText(project.PathOf("half/finetuned/pets/config.json")));
        long whole = new FileInfo(project.PathOf("foreign/model.safetensors")).Length;
        Assert.InRange(new FileInfo(project.PathOf("half/discriminator/model.safetensors")).Length, whole * 0.4, whole * 0.6);
    }
}
