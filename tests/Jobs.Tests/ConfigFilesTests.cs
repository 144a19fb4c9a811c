using System.Text.Json;
using ElectraPipeline.Jobs.Configuration;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training;
using Xunit;

namespace ElectraPipeline.Jobs.Tests;

/// <summary>A file that takes another's place after the paths of a config were checked is not read, whatever stage opens it.</summary>
public sealed class ConfigFilesTests : IDisposable
{
    private const string Docs = """ "corpus": {"paths": ["dotnet-docs"]} """;
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("ingest", "a.txt", """ "corpus": {"paths": ["in/a.txt"]} """)]
    [InlineData("ingest", "deep/a.txt", """ "corpus": {"paths": ["in"]} """)]
    [InlineData("ingest", "a.txt", """ "corpus": {"paths": ["dotnet-docs"], "filters": {"language": {"profiles": ["in/a.txt"]}}} """)]
    [InlineData("ingest", "a.txt", """ "corpus": {"paths": ["dotnet-docs"], "filters": {"decontaminate": {"files": ["in/a.txt"]}}} """)]
    [InlineData("vocabulary", "vocab.txt", Docs + """, "vocabulary": {"path": "in/vocab.txt"} """)]
    [InlineData("pretrain", "train.shard", Docs + """, "mixture": {"datasets": [{"path": "in"}]} """)]
    [InlineData("pretrain", "deep/model.safetensors", Docs + """, "pretrain": {"initializeFrom": "in"} """)]
    [InlineData("finetune", "t.tsv", Docs + """, "finetune": [{"name": "t", "train": "in/t.tsv"}] """)]
    [InlineData(
        "finetune",
        "t.tsv",
        Docs + """, "finetune": [{"name": "t", "train": "dotnet-docs:member-kind", "evaluation": "in/t.tsv"}] """
    )]
    public void A_file_that_is_swapped_after_the_check_is_not_read(string stageName, string name, string fields)
    {
        string file = folder.Write($"conf/in/{name}", "inside");
        string secret = folder.Write("out/secret.txt", "secret");
        folder.Write("conf/run.json", $$"""{"name": "x", {{fields}} }""");
        RunConfig config = RunConfigReader.ReadFile(folder["conf/run.json"]);
        Stage stage = Pipeline.Find(stageName);

        // Whoever looked at this moment found nothing wrong; a shard that is none is found out when it is opened.
        Assert.Equal([], ConfigPaths.FaultsOf(config, folder: null, config.Inputs, InputFolders.Anywhere, stage.Opens));
        if (name != "train.shard")
        {
            Assert.NotEmpty(Fingerprint());
        }

        File.Delete(file);
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        Directory.CreateSymbolicLink(Path.GetDirectoryName(file)!, folder["out"]);
        File.Copy(secret, folder[$"out/{Path.GetFileName(name)}"]);
        string message = Assert.Throws<PermanentException>(Fingerprint).Message;
        Assert.Matches("leads to|links that lead elsewhere", message);

        string Fingerprint() =>
            stage.Fingerprint(config, stageName == "finetune" ? "t" : "", new ConfigFiles(stage, config, InputFolders.Anywhere), []);
    }

    [Fact]
    public void A_stage_that_does_not_say_that_it_opens_a_field_cannot()
    {
        string file = folder.Write("vocab.txt", "inside");
        var config = new RunConfig { Name = "x" };
        var silent = new SilentStage(file);
        string message = Assert
            .Throws<InvalidOperationException>(() =>
                silent.Fingerprint(config, "", new ConfigFiles(silent, config, InputFolders.Anywhere), [])
            )
            .Message;
        Assert.Equal("the stage silent opens files of vocabulary.path, which its FilesOfConfig does not say", message);
    }

    [Fact]
    public void What_the_worker_is_confined_to_and_the_configs_own_rule_hold_at_once()
    {
        string file = folder.Write("conf/in/vocab.txt", "inside");
        folder.Write(
            "conf/run.json",
            $$"""{"name": "x", "corpus": {"paths": ["dotnet-docs"]}, "vocabulary": {"path": {{JsonSerializer.Serialize(file)}} } }"""
        );
        RunConfig config = RunConfigReader.ReadFile(folder["conf/run.json"], InputFolders.Parse(folder["conf"]));
        Stage stage = Pipeline.Find("vocabulary");
        Assert.NotEmpty(Digest(InputFolders.Parse(folder["conf/in"])));
        Directory.CreateDirectory(folder["other"]);
        Assert.Throws<PermanentException>(() => Digest(InputFolders.Parse(folder["other"])));
        folder.Write("other/vocab.txt", "secret");
        File.Delete(file);
        File.CreateSymbolicLink(file, folder["other/vocab.txt"]);
        Assert.Throws<PermanentException>(() => Digest(InputFolders.Parse(folder["other"])));

        string Digest(InputFolders confined) => new ConfigFiles(stage, config, confined).Digest(file, "vocabulary.path");
    }

    private sealed class SilentStage(string file) : Stage("silent", codeVersion: 1)
    {
        public override IReadOnlyList<string> FilesOfConfig => [];

        public override Task<string?> RunAsync(StageContext context, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

        protected override IEnumerable<string> Ingredients(RunConfig config, string shard, ConfigFiles files) =>
            [files.Digest(file, "vocabulary.path")];
    }
}
