namespace ElectraPipeline.Training.Tests.Pretraining;

/// <summary>Remembers what it is told.</summary>
internal sealed class RecordingReporter : IStageReporter
{
    private readonly Lock gate = new();

    public List<(string Name, long Step, double Value)> Metrics { get; } = [];

    public List<(long Step, string Folder)> Checkpoints { get; } = [];

    public List<string> Lines { get; } = [];

    public long LastProgress { get; private set; }

    public Action<long>? OnProgress { get; set; }

    public void Progress(long done, long total, string unit)
    {
        LastProgress = done;
        OnProgress?.Invoke(done);
    }

    public void Metric(string name, long step, double value)
    {
        lock (gate)
        {
            Metrics.Add((name, step, value));
        }
    }

    public void Log(string message) => Lines.Add(message);

    public void Checkpoint(long step, string folder) => Checkpoints.Add((step, folder));
}
