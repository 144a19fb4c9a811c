using System.Diagnostics;

namespace ElectraPipeline.Training.Objective;

/// <summary>What a training step spends its time on.</summary>
internal enum StepPart
{
    /// <summary>None of the others: evaluations, checkpoints.</summary>
    Other,

    /// <summary>Reading examples and masking them.</summary>
    Data,

    /// <summary>The generator's forward pass, its head and loss included.</summary>
    Generator,

    /// <summary>Drawing replacements and putting them into the text.</summary>
    Sampling,

    /// <summary>The main model's forward pass, its head and loss included.</summary>
    Main,

    /// <summary>Gradients of both models.</summary>
    Backward,

    /// <summary>Summing the replicas' gradients, clipping, and the update.</summary>
    Optimizer,

    /// <summary>Counting what the model got right, reading losses, writing curves.</summary>
    Metrics,

    /// <summary>Until slower replicas are done.</summary>
    Waiting,
}

/// <summary>Divides one thread's time among the parts of a step; what runs in no section is <see cref="StepPart.Other"/>.</summary>
/// <remarks>It always runs: a section costs two readings of the clock, 50 ns of a step's milliseconds.</remarks>
internal sealed class StepClock
{
    private readonly long[] ticks = new long[Enum.GetValues<StepPart>().Length];
    private StepPart current;
    private long since = Stopwatch.GetTimestamp();

    /// <summary>Time a part has had since <see cref="Reset"/>.</summary>
    public TimeSpan this[StepPart part] => Stopwatch.GetElapsedTime(0, ticks[(int)part]);

    /// <summary>Time belongs to <paramref name="part"/> until the section is disposed of; then to the part before again.</summary>
    public Section Enter(StepPart part) => new(this, Switch(part));

    /// <summary>Starts anew.</summary>
    public void Reset()
    {
        Switch(current);
        Array.Clear(ticks);
    }

    private StepPart Switch(StepPart part)
    {
        long now = Stopwatch.GetTimestamp();
        ticks[(int)current] += now - since;
        since = now;
        StepPart before = current;
        current = part;
        return before;
    }

    /// <summary>A stretch of time that belongs to one part.</summary>
    internal readonly ref struct Section(StepClock clock, StepPart before)
    {
        /// <summary>Ends the stretch.</summary>
        public void Dispose() => clock.Switch(before);
    }
}
