using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.Launcher;

/// <summary>When the launcher builds, and what it passes on.</summary>
public sealed class LauncherTests : IDisposable
{
    private readonly LauncherTree tree = new();

    public void Dispose() => tree.Dispose();

    [Fact]
    public async Task PassesArgumentsAndTheExitCodeOn()
    {
        ProcessResult result = await tree.RunAsync(["config", "check", "a b.json", ""], environment: new() { ["FAKE_CODE"] = "7" });
        Assert.Equal("[config][check][a b.json][]", result.Output.Trim());
        Assert.Equal(7, result.ExitCode);
    }

    [Fact]
    public async Task BuildsOnceUntilASourceChanges()
    {
        ProcessResult first = await tree.RunAsync(["--version"]);
        Assert.Contains("building", first.Error);
        Assert.Equal(1, tree.Builds);

        ProcessResult second = await tree.RunAsync(["--version"]);
        Assert.Equal("", second.Error);
        Assert.Equal(1, tree.Builds);

        File.SetLastWriteTimeUtc(Path.Combine(tree.Root, "Training", "Training.cs"), DateTime.UtcNow.AddSeconds(5));
        await tree.RunAsync(["--version"]);
        Assert.Equal(2, tree.Builds);
    }

    [Fact]
    public async Task ADeletedSourceIsAChange()
    {
        await tree.RunAsync(["--version"]);
        await Task.Delay(20, TestContext.Current.CancellationToken); // the folder's time stamp has to differ from the stamp's
        File.Delete(Path.Combine(tree.Root, "Jobs", "Jobs.cs"));
        await tree.RunAsync(["--version"]);
        Assert.Equal(2, tree.Builds);
    }

    [Fact]
    public async Task WhatABuildWritesIsNoChange()
    {
        await tree.RunAsync(["--version"]);
        File.WriteAllText(Path.Combine(tree.Root, "Cli", "obj", "later"), "");
        File.WriteAllText(Path.Combine(tree.Root, "Cli", "bin", "later"), "");
        await tree.RunAsync(["--version"]);
        Assert.Equal(1, tree.Builds);
    }

    [Fact]
    public async Task AnotherLibTorchIsAnotherBuild()
    {
        await tree.RunAsync(["--version"]);
        ProcessResult cuda = await tree.FunctionAsync($"TorchDevice=cuda '{tree.Root}/electra' --version");
        Assert.Equal(0, cuda.ExitCode);
        Assert.Equal(2, tree.Builds);
    }

    [Fact]
    public async Task WorksThroughSymbolicLinks()
    {
        string elsewhere = Path.Combine(Path.GetDirectoryName(tree.Root)!, "bin");
        Directory.CreateDirectory(elsewhere);
        File.CreateSymbolicLink(Path.Combine(elsewhere, "real"), Path.Combine("..", "a clone", "electra"));
        File.CreateSymbolicLink(Path.Combine(elsewhere, "electra"), "real");
        ProcessResult result = await tree.RunAsync(["x"], Path.Combine(elsewhere, "electra"));
        Assert.Equal("[x]", result.Output.Trim());
    }

    [Fact]
    public async Task AFailedBuildIsShownAndTriedAgain()
    {
        ProcessResult failed = await tree.RunAsync(["--version"], environment: new() { ["FAKE_ERROR"] = "CS0001" });
        Assert.Equal(2, failed.ExitCode);
        Assert.Contains("error CS0001", failed.Error);
        Assert.Equal("[--version]", (await tree.RunAsync(["--version"])).Output.Trim());
    }

    [Fact]
    public async Task AnSdkBehindAWrapperStartsTheProgramItself()
    {
        Directory.Delete(Path.Combine(tree.Tools, "host"), recursive: true);
        ProcessResult result = await tree.RunAsync(["status"]);
        Assert.Equal($"dotnet {tree.Root}/Cli/bin/Release/net10.0/electra.dll status", result.Output.Trim());
    }

    [Fact]
    public async Task AMissingSdkIsNamed()
    {
        ProcessResult older = await tree.RunAsync(["--version"], environment: new() { ["FAKE_SDK"] = "9.0.300" });
        Assert.Equal(2, older.ExitCode);
        Assert.Contains(".NET 10 SDK is missing", older.Error);
        Assert.Equal(0, tree.Builds);
    }
}
