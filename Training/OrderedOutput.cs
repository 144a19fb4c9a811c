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

    /// <summary>
    /// What one of the threads does: takes pieces, fills what is made of each, and hands it on, until there are no more or a thread has
    /// failed.
    /// </summary>
    /// <param name="next">Takes the next piece of all threads; null: there is none.</param>
    /// <param name="fill">Fills an empty one with what the piece gives.</param>
    /// <param name="cancellationToken">Ends the thread, which fails, and with it the others.</param>
    public void Work<TPiece>(Func<TPiece?> next, Action<TPiece, T> fill, CancellationToken cancellationToken)
        where TPiece : TextPiece
    {
        try
        {
            bool goesOn = true;
            while (goesOn && next() is { } piece)
            {
                cancellationToken.ThrowIfCancellationRequested();
                T filled = Borrow();
                fill(piece, filled);
                piece.Dispose();
                goesOn = Give(piece.Number, filled);
            }
        }
        catch
        {
            Break();
            throw;
        }
    }

    private T Borrow()
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
    private bool Give(int number, T filled)
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
    private void Break()
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
