namespace ElectraPipeline.Training.Shards;

/// <summary>
/// An endless walk over the examples of a set: every epoch takes each once, in an order of its own. A pure function of the draw's number;
/// safe for several threads.
/// </summary>
/// <param name="count">Examples; at least 1.</param>
/// <param name="seed">Chooses the orders.</param>
internal sealed class EpochOrder(int count, ulong seed)
{
    // A cache, not a state: threads in different epochs replace it in turn, and each goes on with what it made.
    private Permutation latest = new(count, seed, 0);

    /// <summary>The example of a draw, both counted from 0.</summary>
    public int this[long draw]
    {
        get
        {
            (long epoch, long position) = Math.DivRem(draw, count);
            Permutation order = latest;
            if (order.Epoch != epoch)
            {
                order = new Permutation(count, seed, epoch);
                latest = order;
            }

            return order[(int)position];
        }
    }
}
