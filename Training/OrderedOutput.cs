using System.Diagnostics.CodeAnalysis;

namespace ElectraPipeline.Training;

/// <summary>
/// Takes what threads make, whichever is done first, and hands it on in the order of numbers, which start at 0. A thread on a slow
/// processor, or one that is just writing, holds nobody up: the others may be a number of pieces ahead.
/// </summary>
/// <typeparam name="T">What is made. It is used again once it was written.</typeparam>
/// <param name="make">Makes an empty one.</param>
/// <param name="write">Hands one on and empties it; called for one at a time.</param>
/// <param name="ahead">How many may wait for an earlier one, so that memory is bounded.</param>
internal sealed class OrderedOutput<T>(Func<T> make, Action<T> write, int ahead)
{
    private readonly object gate = new();
    private readonly Dictionary<int, T> early = [];
    private readonly Stack<T> free = new();
    private int next;
    private bool writing;
    private bool broken;

    /// <summary>An empty one to fill.</summary>
    public T Borrow()
    {
        lock (gate)
        {
            return free.TryPop(out T? used) ? used : make();
        }
    }

    /// <summary>
    /// Gives back what was filled, and writes what can be written if nobody does. Waits where too many wait already; false: a thread has
    /// failed, and nothing is written any more.
    /// </summary>
    public bool Give(int number, T filled)
    {
        lock (gate)
        {
            while (number > next + ahead && !broken)
            {
                Monitor.Wait(gate);
            }

            if (broken)
            {
                return false;
            }

            early.Add(number, filled);
            if (writing)
            {
                return true;
            }

            writing = true;
        }

        while (TakeNext(out T? ready))
        {
            write(ready);
            PutBack(ready);
        }

        return true;
    }

    /// <summary>Ends all waiting: a thread failed, and its number will not come.</summary>
    public void Break()
    {
        lock (gate)
        {
            broken = true;
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>The next one to write; if there is none, whoever gives it will write it.</summary>
    private bool TakeNext([MaybeNullWhen(false)] out T ready)
    {
        lock (gate)
        {
            writing = early.Remove(next, out ready) && !broken;
            return writing;
        }
    }

    private void PutBack(T written)
    {
        lock (gate)
        {
            free.Push(written);
            next++;
            Monitor.PulseAll(gate);
        }
    }
}
