using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.Pipelines;

/// <summary>What a run says to bad input: the thing, where it is, what to do; and that a retry goes on once it is mended.</summary>
public sealed class InputTests
{
    [Fact]
    public async Task AMissingFolderIsNamedAndARetryGoesOn()
    {
        using var project = new TinyProject();
        project.WriteConfig(corpus: "nowhere");
        ProcessResult failed = await project.RunAsync("run", project.Config, "--watch");
        AssertClear(failed, project, "nowhere", "electra retry 1");

        Directory.Move(project.PathOf("corpus"), project.PathOf("nowhere"));
        await project.SucceedAsync("retry", "1");
        using StartedProcess worker = project.Start("worker");
        await TinyProject.WaitForAsync(async () => await project.StateAsync() == "succeeded", worker);
    }

    [Fact]
    public async Task AnEmptyCorpusIsNamed()
    {
        using var project = new TinyProject();
        File.WriteAllText(project.PathOf("corpus/sentences.txt"), "\n \n\n");
        AssertClear(await project.RunAsync("run", project.Config, "--watch"), project, "corpus", "no document");
    }

    [Fact]
    public async Task InvalidUtf8IsNamedWithItsFileAndOffset()
    {
        using var project = new TinyProject();
        File.WriteAllBytes(project.PathOf("corpus/sentences.txt"), [.. "The caf"u8, 0xE9, .. " is open.\n"u8]);
        AssertClear(await project.RunAsync("run", project.Config, "--watch"), project, "sentences.txt", "byte 7", "UTF-8");
    }

    private static void AssertClear(ProcessResult failed, TinyProject project, params string[] words)
    {
        Assert.Equal(1, failed.ExitCode);
        Assert.All(words, word => Assert.True(failed.Error.Contains(word, StringComparison.Ordinal), $"'{word}' is not in {failed}"));
        Assert.DoesNotContain("   at ", failed.Error);
        string work = Path.Combine(project.DataFolder, "work");
        Assert.Empty(Directory.EnumerateFileSystemEntries(work));
    }
}
