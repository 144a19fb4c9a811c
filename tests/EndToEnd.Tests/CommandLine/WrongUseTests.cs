using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.CommandLine;

/// <summary>What the command line says to mistakes: exit code 2, the thing and the remedy, no stack trace.</summary>
public sealed class WrongUseTests : IDisposable
{
    private readonly TinyProject project = new();

    public void Dispose() => project.Dispose();

    [Fact]
    public async Task UnknownWordsAreRefused()
    {
        ProcessResult result = await project.RunAsync("stats");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("stats", result.Error);
        Assert.Contains("--help", result.Error);
    }

    [Fact]
    public async Task AllFaultsOfAConfigAreNamedAtOnce()
    {
        project.WriteConfig(rest: ", \"pretrian\": {}, \"seed\": \"x\"");
        ProcessResult result = await project.RunAsync("config", "check", project.Config);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("pretrian", result.Error);
        Assert.Contains("pretrain", result.Error.Replace("pretrian", ""));
        Assert.Contains("seed", result.Error);
        Assert.DoesNotContain("   at ", result.Error);
    }

    [Theory]
    [InlineData("tokenize", "--vocab", "v.txt", "--input", "t.txt", "--threads", "0")]
    [InlineData("shards", "build", "--vocab", "v.txt", "--input", "t.txt", "--output", "o", "--threads", "-1")]
    [InlineData("ingest", "--input", "t.txt", "--output", "o", "--threads", "x")]
    public async Task ThreadsAreANumberAndAtLeastOne(params string[] command)
    {
        ProcessResult result = await project.RunAsync(command);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("--threads", result.Error);
        Assert.DoesNotContain("   at ", result.Error);
    }

    [Fact]
    public async Task AMissingConfigIsNamed()
    {
        ProcessResult result = await project.RunAsync("run", project.PathOf("none.json"), "--watch");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("none.json", result.Error);
        Assert.False(Directory.Exists(project.DataFolder));
    }

    [Theory]
    [InlineData("doctor")]
    [InlineData("gc", "--dry-run")]
    [InlineData("backup", "copy")]
    public async Task WhatLooksAfterDataMakesNone(params string[] command)
    {
        ProcessResult result = await project.RunAsync(command);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains($"there is no data in {project.DataFolder}", result.Error);
        Assert.False(Path.Exists(project.DataFolder));
        Assert.False(Path.Exists("copy"));
    }

    [Fact]
    public async Task ADataFolderOfANewerVersionIsRefused()
    {
        Directory.CreateDirectory(project.DataFolder);
        File.WriteAllText(Path.Combine(project.DataFolder, "electra-data-format"), "99\n");
        ProcessResult result = await project.RunAsync("status");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("99", result.Error);
        Assert.DoesNotContain("   at ", result.Error);
    }

    [Fact]
    public async Task TheConfigsOfTheRepositoryAreGood()
    {
        foreach (string config in Directory.GetFiles(Path.Combine(SharedData.RepositoryRoot, "configs"), "*.json"))
        {
            ProcessResult result = await project.RunAsync("config", "check", config);
            Assert.True(result.ExitCode == 0, result.ToString());
        }
    }
}
