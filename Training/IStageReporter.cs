namespace ElectraPipeline.Training;

/// <summary>Where long work reports what it does. Implementations must be safe to call from any thread and must not throw.</summary>
public interface IStageReporter
{
    /// <summary>Work done so far, of <paramref name="total"/>, in <paramref name="unit"/> ("steps", "documents", "bytes").</summary>
    void Progress(long done, long total, string unit);

    /// <summary>One point of a curve, for example ("train/generator_loss", 100, 5.2). Steps count from 0.</summary>
    void Metric(string name, long step, double value);

    /// <summary>One line of the stage's log, readable by a person.</summary>
    void Log(string message);

    /// <summary>
    /// A checkpoint is whole in <paramref name="folder"/>; the receiver owns the folder from now on and publishes it only if the
    /// stage's lease still holds.
    /// </summary>
    void Checkpoint(long step, string folder);
}
