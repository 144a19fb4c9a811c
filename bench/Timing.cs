using System.Diagnostics;

namespace ElectraPipeline.Bench;

/// <summary>How long something took.</summary>
/// <param name="Clock">Seconds on the clock.</param>
/// <param name="Processor">Seconds of all processors together, of this process.</param>
internal readonly record struct Timing(double Clock, double Processor)
{
    /// <summary>
    /// The least of each over some rounds, in which the actions take turns; <paramref name="between"/> clears up after each, and is not
    /// measured.
    /// </summary>
    public static IReadOnlyList<Timing> Best(IReadOnlyList<Action> actions, int rounds, Action? between = null)
    {
        Timing[] best = [.. actions.Select(_ => new Timing(double.MaxValue, double.MaxValue))];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < best.Length; i++)
            {
                long start = Stopwatch.GetTimestamp();
                TimeSpan used = Environment.CpuUsage.TotalTime;
                actions[i]();
                double clock = Stopwatch.GetElapsedTime(start).TotalSeconds;
                double processor = (Environment.CpuUsage.TotalTime - used).TotalSeconds;
                between?.Invoke();
                best[i] = new Timing(Math.Min(best[i].Clock, clock), Math.Min(best[i].Processor, processor));
            }
        }

        return best;
    }
}
