using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.Pipelines;

/// <summary>A disk that takes no files holds a run back and loses nothing of it; the run goes on by itself once it is mended.</summary>
/// <remarks>A tmpfs is the only disk that a test can fill, and mounting one needs root.</remarks>
public sealed class DiskTests(PostgresFixture postgres)
{
    private const int Megabytes = 64;

    [Fact]
    public async Task ANearlyFullDiskHoldsARunBackAndItGoesOn()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can mount a small disk");
        using var disk = new SmallDisk(Megabytes);
        using var project = new TinyProject(disk.Folder, await postgres.NewDatabaseAsync());
        string ballast = Path.Combine(disk.Folder, "ballast");
        disk.Fill(ballast, leaveKilobytes: 200);
        await HeldUntilMendedAsync(project, "Free 3 MiB or more", () => File.Delete(ballast));
    }

    [Fact]
    public async Task AReadOnlyDiskHoldsARunBackAndItGoesOn()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can mount a small disk");
        using var disk = new SmallDisk(Megabytes);
        using var project = new TinyProject(disk.Folder, await postgres.NewDatabaseAsync());

        // The kernel makes no disk read-only under an open log.
        Directory.CreateDirectory(project.PathOf("logs"));
        Directory.CreateSymbolicLink(Path.Combine(disk.Folder, "logs"), project.PathOf("logs"));
        project.WriteConfig(steps: UndisturbedRun.Steps);
        using StartedProcess run = project.Start("run", project.Config, "--watch");
        await TinyProject.WaitForAsync(() => Task.FromResult(project.Checkpoints > 0), run);
        disk.SetReadOnly(true);
        await TinyProject.WaitForAsync(() => Task.FromResult(run.Snapshot().Error.Contains("held back")), run);
        Assert.Contains("read-only", run.Snapshot().Error);
        disk.SetReadOnly(false);
        await SucceedsUncountedAsync(project, run);
    }

    /// <summary>The disk has room to begin with and fills while training writes its checkpoints.</summary>
    [Fact]
    public async Task ADiskThatFillsDuringTrainingCostsNoAttempt()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can mount a small disk");
        using var disk = new SmallDisk(Megabytes);
        using var project = new TinyProject(disk.Folder, await postgres.NewDatabaseAsync());
        project.WriteConfig(steps: UndisturbedRun.Steps);
        using StartedProcess run = project.Start("run", project.Config, "--watch");
        await TinyProject.WaitForAsync(() => Task.FromResult(project.Checkpoints > 0), run);
        string ballast = Path.Combine(disk.Folder, "ballast");
        SmallDisk.FillUp(ballast);
        await TinyProject.WaitForAsync(() => Task.FromResult(run.Snapshot().Error.Contains("held back")), run);
        File.Delete(ballast);
        await SucceedsUncountedAsync(project, run);
    }

    private static async Task HeldUntilMendedAsync(TinyProject project, string remedy, Action mend)
    {
        using StartedProcess run = project.Start("run", project.Config, "--watch");
        await TinyProject.WaitForAsync(() => Task.FromResult(run.Snapshot().Error.Contains("held back")), run);
        Assert.Contains(remedy, run.Snapshot().Error);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(project.DataFolder, "work")));
        mend();
        await SucceedsUncountedAsync(project, run);
    }

    private static async Task SucceedsUncountedAsync(TinyProject project, StartedProcess run)
    {
        ProcessResult result = await run.WaitAsync(TimeSpan.FromMinutes(3));
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.DoesNotContain("   at ", result.Error);
        Assert.All((await project.StagesAsync()).Values, stage => Assert.Equal(1, stage.GetProperty("attempt").GetInt32()));
    }
}
