namespace ElectraPipeline.Training.Pretraining;

/// <summary>
/// Prepares steps in order: on request, or, where a device computes beside the host, one step ahead on another thread, so that reading,
/// masking and copying take no time of the device's.
/// </summary>
/// <param name="prepare">Prepares a step; a pure function, safe to call from another thread.</param>
/// <param name="first">The first step that will be taken.</param>
/// <param name="end">The step after the last.</param>
/// <param name="ahead">Whether to work ahead.</param>
internal sealed class StepPrefetch(Func<long, PreparedStep> prepare, long first, long end, bool ahead) : IDisposable
{
    private long step = first;
    private Task<PreparedStep>? next;

    /// <summary>The next step, which the caller disposes.</summary>
    /// <exception cref="Exception">Whatever preparing it threw.</exception>
    public PreparedStep Take()
    {
        if (!ahead)
        {
            return prepare(step++);
        }

        PreparedStep taken = (next ?? Start(step)).GetAwaiter().GetResult();
        step++;
        next = step < end ? Start(step) : null;
        return taken;
    }

    /// <summary>Waits for the step in preparation and drops it.</summary>
    public void Dispose()
    {
        if (next is null)
        {
            return;
        }

        ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        if (next.IsCompletedSuccessfully)
        {
            next.Result.Dispose();
        }
    }

    private Task<PreparedStep> Start(long wanted) => Task.Run(() => prepare(wanted));
}
