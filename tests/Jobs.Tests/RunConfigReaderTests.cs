using System.Text;
using ElectraPipeline.Jobs.Configuration;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training;
using Xunit;

namespace ElectraPipeline.Jobs.Tests;

public sealed class RunConfigReaderTests
{
    [Fact]
    public void AllFaultsAreNamedAtOnceEachWithTheNearestKey()
    {
        string message = FaultsOf("""{"nmae": "x", "corpus": {"paths": ["a"], "prats": 3}, "seed": 1, "seed": 2}""");
        foreach (string expected in new[] { "nmae", "'name'", "prats", "parts", "seed" })
        {
            Assert.Contains(expected, message);
        }

        Assert.True(message.Split('\n').Length >= 3, message);
    }

    [Fact]
    public void ValuesOutOfRangeAreNamed()
    {
        string message = FaultsOf(
            """{"name": "Bad Name", "corpus": {"paths": ["a"], "parts": 0}, "pretrain": {"steps": -1, "maskProbability": 2}}"""
        );
        foreach (string expected in new[] { "Bad Name", "parts", "steps", "maskProbability" })
        {
            Assert.Contains(expected, message);
        }
    }

    [Fact]
    public void LimitsAndPrioritiesAreReadAndTheirFaultsNamed()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write(
            "run.json",
            """
            {"name": "x", "corpus": {"paths": ["a"]}, "priority": -3, "limits": [{"stage": "pretrain", "attempts": 9, "memoryGb": 12}]}
            """
        );
        var config = RunConfigReader.ReadFile(path);
        Assert.Equal(
            new StageLimits
            {
                Stage = "pretrain",
                Attempts = 9,
                MemoryGb = 12,
            },
            config.LimitsOf("pretrain")
        );
        Assert.Equal(new StageLimits { Stage = "ingest" }, config.LimitsOf("ingest"));
        Assert.Equal(
            (9, 12),
            Pipeline
                .GraphOf(config)
                .Where(stage => stage.Stage == "pretrain")
                .Select(stage => (stage.MaxAttempts, stage.MemoryGb!.Value))
                .Single()
        );

        string message = FaultsOf(
            """
            {"name": "x", "corpus": {"paths": ["a"]}, "priority": 101, "limits": [{"stage": "pre"}, {"stage": "ingest", "attempts": 0},
             {"stage": "ingest", "backoffSeconds": -1, "timeLimitSeconds": 0, "memoryGb": 0}]}
            """
        );
        foreach (
            string expected in new[]
            {
                "priority is 101",
                "limits[0].stage is pre",
                "limits[1].attempts is 0",
                "limits[2].stage is ingest; allowed: each stage once",
                "limits[2].backoffSeconds is -1",
                "limits[2].timeLimitSeconds is 0",
                "limits[2].memoryGb is 0",
            }
        )
        {
            Assert.Contains(expected, message);
        }
    }

    [Fact]
    public void PathsStartAtTheConfigFileAndReplicasAreResolved()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write(
            "conf/run.json",
            """{"name": "x", "corpus": {"paths": ["text", "dotnet-docs"]}, "pretrain": {"replicas": 0}}"""
        );
        var config = RunConfigReader.ReadFile(path);
        Assert.Equal([folder["conf/text"], "dotnet-docs"], config.Corpus.Paths);
        Assert.Equal(Environment.ProcessorCount, config.Pretrain.Replicas);
        Assert.Contains("absent.json", Assert.Throws<PermanentException>(() => RunConfigReader.ReadFile(folder["absent.json"])).Message);
    }

    [Fact]
    public void FiltersAreReadAndTheirFilesStartAtTheConfigFile()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write(
            "conf/run.json",
            """{"name": "x", "corpus": {"paths": ["a"], "filters": {"c4": {"minSentences": 2}, "decontaminate": {"files": ["dev.tsv"]}}}}"""
        );
        var filters = RunConfigReader.ReadFile(path).Corpus.Filters!;
        Assert.Equal(2, filters.C4!.MinSentences);
        Assert.Equal([folder["conf/dev.tsv"]], filters.Decontaminate!.Files);
        Assert.Null(filters.Length);

        string message = FaultsOf(
            """{"name": "x", "corpus": {"paths": ["a"], "filters": {"length": {"minWords": -1}, "c4": {"minSentences": -2}}}}"""
        );
        Assert.Contains("corpus.filters.length.minWords is -1", message);
        Assert.Contains("corpus.filters.c4.minSentences is -2", message);
    }

    [Fact]
    public void ARunFromARegisteredModelOnlyFineTunes()
    {
        const string Task = """{"name": "mood", "train": "mood.tsv"}""";
        var config = RunConfigReader.Read(
            Encoding.UTF8.GetBytes($$"""{"name": "x", "from": "base-model@champion", "finetune": [{{Task}}]}"""),
            "run.json"
        );
        Assert.Equal(["base", "finetune", "register"], Pipeline.GraphOf(config).Select(stage => stage.Stage));

        string message = FaultsOf("""{"name": "x", "from": "No@", "corpus": {"paths": ["text"]}}""");
        Assert.Contains("from is No@; allowed: \"NAME\"", message);
        Assert.Contains("corpus.paths is [text]; allowed: none", message);
        Assert.Contains("finetune is []", message);
        Assert.Contains("or \"from\" with a registered model", FaultsOf("""{"name": "x"}"""));
    }

    [Theory]
    [InlineData("""{"name": "x", "corpus": {"paths": ["a"]}, "model": {"tieEncoders": true}}""", "GeneratorSize")]
    [InlineData("""{"name": "x", "corpus": {"paths": ["a"]}, "pretrain": {"objective": "electric", "temperature": 2}}""", "Temperature")]
    [InlineData("""{"name": "x", "corpus": {"paths": ["a"]}, "pretrain": {"objective": "mlmm"}}""", "all-tokens-mlm")]
    [InlineData(
        """{"name": "x", "corpus": {"paths": ["a"]}, "pretrain": {"steps": 9, "phases": [{"steps": 4}, {"steps": 4}]}}""",
        "pretrain.phases"
    )]
    [InlineData("""{"name": "x", "corpus": {"paths": ["a"]}, "pretrain": {"phases": [{"step": 4}]}}""", "steps")]
    public void OptionsThatExcludeEachOtherAreNamed(string json, string named) => Assert.Contains(named, FaultsOf(json));

    [Fact]
    public void TheOfficialPresetHasItsQuirksAndTheConfigsOwnValuesComeFirst()
    {
        const string Json = """
            {
              "name": "x", "preset": "official-large", "corpus": { "paths": ["a"] }, // a comment
              "pretrain": { "steps": 7 },
              "finetune": [
                { "name": "t", "train": "t.tsv" }, { "name": "u", "train": "u.tsv", "layerwiseDecayRule": "fixed", "head": null }
              ],
            }
            """;
        RunConfig official = RunConfigReader.Read(Encoding.UTF8.GetBytes(Json), "run.json");
        Assert.True(official.Pretrain.MaskWithReplacement);
        Assert.Equal(("discard", 512), (official.Examples.Overflow, official.Examples.SequenceLength));
        Assert.Equal((7, 2_048, 0.25), (official.Pretrain.Steps, official.Pretrain.BatchSize, official.Pretrain.MaskProbability));
        Assert.Equal(["official", "fixed"], official.Finetune.Select(task => task.LayerwiseDecayRule));
        Assert.Equal(["official", null], official.Finetune.Select(task => task.Head));
        Assert.Equal([0.9, 0.9], official.Finetune.Select(task => task.LayerwiseDecay));

        var plain = RunConfigReader.Read(
            """{"name": "x", "corpus": {"paths": ["a"]}, "finetune": [{"name": "t", "train": "t.tsv"}]}"""u8.ToArray(),
            "run.json"
        );
        Assert.False(plain.Pretrain.MaskWithReplacement);
        Assert.Null(plain.Finetune[0].Head);
        Assert.Contains(
            "finetune[0].head is wide",
            FaultsOf("""{"name": "x", "corpus": {"paths": ["a"]}, "finetune": [{"name": "t", "train": "t.tsv", "head": "wide"}]}""")
        );
        Assert.Equal(("carry", "fixed"), (plain.Examples.Overflow, plain.Finetune[0].LayerwiseDecayRule));
        Assert.Contains("official-small", FaultsOf("""{"name": "x", "preset": "oficial", "corpus": {"paths": ["a"]}}"""));
    }

    [Fact]
    public void AMixtureHasWeightsAndPathsThatStartAtTheConfigFile()
    {
        const string Text =
            """{"name": "x", "corpus": {"paths": ["a"]}, "mixture": {"weight": W, "datasets": [{"path": "wiki", "weight": 0.5}]}}""";
        var config = RunConfigReader.Read(Encoding.UTF8.GetBytes(Text.Replace("W", "2")), "/conf/run.json");
        Assert.Equal((2, 0.5, "/conf/wiki"), (config.Mixture.Weight, config.Mixture.Datasets[0].Weight, config.Mixture.Datasets[0].Path));
        Assert.Contains("mixture.weight is -1", FaultsOf(Text.Replace("W", "-1")));
        Assert.Contains("mixture.datasets[0].weight is 0", FaultsOf(Text.Replace("W", "1").Replace("0.5", "0")));
        Assert.Contains("mixture.weight is 0", FaultsOf("""{"name": "x", "corpus": {"paths": ["a"]}, "mixture": {"weight": 0}}"""));
    }

    private static string FaultsOf(string json) =>
        Assert.Throws<PermanentException>(() => RunConfigReader.Read(Encoding.UTF8.GetBytes(json), "run.json")).Message;
}
