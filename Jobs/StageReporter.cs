using ElectraPipeline.Storage.Metrics;
using ElectraPipeline.Storage.Runs;
using ElectraPipeline.Training;

namespace ElectraPipeline.Jobs;

/// <summary>Gathers a stage's reports; the heartbeat stores them, so that reporting never waits for the database.</summary>
internal sealed class StageReporter : IStageReporter
{
    private readonly Lock gate = new();
    private List<MetricValue> metrics = [];
    private List<string> lines = [];
    private StageProgress? progress;

    public StageProgress? NewestProgress
    {
        get
        {
            lock (gate)
            {
                return progress;
            }
        }
    }

    public void Progress(long done, long total, string unit)
    {
        lock (gate)
        {
            progress = new StageProgress(done, total, unit);
        }
    }

    public void Metric(string name, long step, double value)
    {
        lock (gate)
        {
            metrics.Add(new MetricValue(name, step, value));
        }
    }

    public void Log(string message)
    {
        lock (gate)
        {
            lines.Add(message);
        }
    }

    public void Checkpoint(long step, string folder) =>
        throw new NotSupportedException("only child processes report checkpoints; TrainingStage publishes them");

    /// <summary>What was reported since the last call.</summary>
    public (IReadOnlyCollection<MetricValue> Metrics, IReadOnlyCollection<string> Lines) Take()
    {
        lock (gate)
        {
            var taken = (metrics, lines);
            metrics = [];
            lines = [];
            return taken;
        }
    }

    /// <summary>Puts back what could not be stored, before what came since.</summary>
    public void Return(IReadOnlyCollection<MetricValue> takenMetrics, IReadOnlyCollection<string> takenLines)
    {
        lock (gate)
        {
            metrics.InsertRange(0, takenMetrics);
            lines.InsertRange(0, takenLines);
        }
    }
}
