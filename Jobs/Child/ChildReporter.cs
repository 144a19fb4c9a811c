using ElectraPipeline.Storage;
using ElectraPipeline.Training;

namespace ElectraPipeline.Jobs.Child;

/// <summary>Reports to the parent process, a JSON line each.</summary>
public sealed class ChildReporter : IStageReporter
{
    private readonly Lock gate = new();
    private readonly Stream output = Console.OpenStandardOutput();

    internal ChildReporter() { }

    /// <inheritdoc/>
    public void Progress(long done, long total, string unit) =>
        Send(
            new ChildMessage
            {
                Type = "progress",
                Number = done,
                Total = total,
                Text = unit,
            }
        );

    /// <inheritdoc/>
    public void Metric(string name, long step, double value) =>
        Send(
            new ChildMessage
            {
                Type = "metric",
                Number = step,
                Text = name,
                Value = value,
            }
        );

    /// <inheritdoc/>
    public void Log(string message) => Send(new ChildMessage { Type = "log", Text = message });

    /// <inheritdoc/>
    public void Checkpoint(long step, string folder)
    {
        FaultPoint.Reach("before the report of a checkpoint");
        Send(
            new ChildMessage
            {
                Type = "checkpoint",
                Number = step,
                Text = folder,
            }
        );
        FaultPoint.Reach("after the report of a checkpoint");
    }

    internal void Send(ChildMessage message)
    {
        byte[] line = [.. System.Text.Encoding.UTF8.GetBytes(CanonicalJson.Write(message)), (byte)'\n'];
        lock (gate)
        {
            try
            {
                output.Write(line);
                output.Flush();
            }
            catch (IOException)
            {
                // The parent is gone and ends this process; a report has nobody left to read it.
            }
        }
    }
}
