using ElectraPipeline.TestSupport;

namespace ElectraPipeline.EndToEnd.Tests.Pipelines;

/// <summary>What a run of <see cref="Steps"/> steps ends with when nothing happens to it; made once, when a test asks for it.</summary>
public sealed class UndisturbedRun
{
    /// <summary>Enough for a test to act in the middle of pre-training.</summary>
    public const int Steps = 1600;

    private readonly Lazy<Task<IReadOnlyList<string>>> weights = new(MakeAsync);

    /// <summary>Digests of its weights.</summary>
    public Task<IReadOnlyList<string>> WeightsAsync() => weights.Value;

    private static async Task<IReadOnlyList<string>> MakeAsync()
    {
        using var project = new TinyProject();
        project.WriteConfig(steps: Steps);
        await project.SucceedAsync("run", project.Config, "--watch");
        return project.Weights;
    }
}
