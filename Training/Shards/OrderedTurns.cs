namespace ElectraPipeline.Training.Shards;

/// <summary>Lets threads act one after the other in the order of numbers, whichever comes first.</summary>
internal sealed class OrderedTurns
{
    private readonly object gate = new();
    private int next;
    private bool broken;

    /// <summary>
    /// Waits until all numbers below <paramref name="number"/> had their turn, then acts; does not act if one never will.
    /// </summary>
    public void Take(int number, Action action)
    {
        lock (gate)
        {
            while (next != number && !broken)
            {
                Monitor.Wait(gate);
            }

            if (!broken)
            {
                action();
                next++;
                Monitor.PulseAll(gate);
            }
        }
    }

    /// <summary>Ends all waiting: a thread failed before its turn.</summary>
    public void Break()
    {
        lock (gate)
        {
            broken = true;
            Monitor.PulseAll(gate);
        }
    }
}
