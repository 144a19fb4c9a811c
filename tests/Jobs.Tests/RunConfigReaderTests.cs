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
        string message = FaultsOf("""{"name": "Bad Name", "corpus": {"paths": ["a"], "parts": 0}, "pretrain": {"steps": -1, "maskProbability": 2}}""");
        foreach (string expected in new[] { "Bad Name", "parts", "steps", "maskProbability" })
        {
            Assert.Contains(expected, message);
        }
    }

    [Fact]
    public void PathsStartAtTheConfigFileAndReplicasAreResolved()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("conf/run.json", """{"name": "x", "corpus": {"paths": ["../text", "dotnet-docs"]}, "pretrain": {"replicas": 0}}""");
        var config = RunConfigReader.ReadFile(path);
        Assert.Equal([folder["text"], "dotnet-docs"], config.Corpus.Paths);
        Assert.Equal(Environment.ProcessorCount, config.Pretrain.Replicas);
        Assert.Contains("absent.json", Assert.Throws<PermanentException>(() => RunConfigReader.ReadFile(folder["absent.json"])).Message);
    }

    [Fact]
    public void ARunFromARegisteredModelOnlyFineTunes()
    {
        const string Task = """{"name": "mood", "train": "mood.tsv"}""";
        var config = RunConfigReader.Read(Encoding.UTF8.GetBytes($$"""{"name": "x", "from": "base-model@champion", "finetune": [{{Task}}]}"""), "run.json");
        Assert.Equal(["base", "finetune", "register"], Pipeline.GraphOf(config).Select(stage => stage.Stage));

        string message = FaultsOf("""{"name": "x", "from": "No@", "corpus": {"paths": ["text"]}}""");
        Assert.Contains("from is No@; allowed: \"NAME\"", message);
        Assert.Contains("corpus.paths is [text]; allowed: none", message);
        Assert.Contains("finetune is []", message);
        Assert.Contains("or \"from\" with a registered model", FaultsOf("""{"name": "x"}"""));
    }

    private static string FaultsOf(string json) =>
        Assert.Throws<PermanentException>(() => RunConfigReader.Read(Encoding.UTF8.GetBytes(json), "run.json")).Message;
}
