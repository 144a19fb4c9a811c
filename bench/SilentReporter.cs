using ElectraPipeline.Training;

namespace ElectraPipeline.Bench;

/// <summary>For stages that are timed and not watched.</summary>
internal sealed class SilentReporter : IStageReporter
{
    public static SilentReporter Instance { get; } = new();

    public void Progress(long done, long total, string unit) { }

    public void Metric(string name, long step, double value) { }

    public void Log(string message) { }

    public void Checkpoint(long step, string folder) { }
}
