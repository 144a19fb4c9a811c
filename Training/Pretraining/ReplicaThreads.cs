using System.Runtime.ExceptionServices;
using TorchSharp;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>One thread for each replica of a model; the caller's thread is the first. Each has one LibTorch thread of its own.</summary>
/// <remarks>
/// Threads live as long as the training: LibTorch's dispose scopes, gradient mode and thread count belong to a thread. One computing
/// thread for each core is faster than LibTorch's own threads inside each operation, and does not collapse when others use the cores.
/// </remarks>
internal sealed class ReplicaThreads : IDisposable
{
    private const int StackBytes = 16 << 20; // backward recurses over the graph
    private readonly Thread[] threads;
    private readonly Barrier barrier;
    private readonly Exception?[] failures;
    private Action<int>? work;

    /// <summary>Starts the threads.</summary>
    public ReplicaThreads(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        Count = count;
        torch.set_num_threads(1);
        barrier = new Barrier(count);
        failures = new Exception?[count];
        threads = [.. Enumerable.Range(1, count - 1).Select(Start)];
    }

    /// <summary>Threads, the caller's included.</summary>
    public int Count { get; }

    /// <summary>
    /// Runs <paramref name="task"/> for each replica at once; returns when all are done. Throws the first replica's failure.
    /// </summary>
    public void Run(Action<int> task)
    {
        work = task;
        barrier.SignalAndWait();
        Attempt(0);
        barrier.SignalAndWait();
        Exception? failure = Array.Find(failures, found => found is not null);
        if (failure is not null)
        {
            Array.Clear(failures);
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    /// <summary>Runs <paramref name="task"/> for the indices 0 to count - 1, index i on replica i mod Count.</summary>
    public void RunEach(int count, Action<int> task) =>
        Run(replica =>
        {
            for (int i = replica; i < count; i += Count)
            {
                task(i);
            }
        });

    /// <inheritdoc/>
    public void Dispose()
    {
        work = null;
        barrier.SignalAndWait();
        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        barrier.Dispose();
    }

    private Thread Start(int replica)
    {
        var thread = new Thread(() => Serve(replica), StackBytes) { IsBackground = true, Name = $"replica {replica}" };
        thread.Start();
        return thread;
    }

    private void Serve(int replica)
    {
        torch.set_num_threads(1);
        while (true)
        {
            barrier.SignalAndWait();
            if (work is null)
            {
                return;
            }

            Attempt(replica);
            barrier.SignalAndWait();
        }
    }

    private void Attempt(int replica)
    {
        try
        {
            work!(replica);
        }
        catch (Exception failure)
        {
            failures[replica] = failure; // thrown again on the caller's thread
        }
    }
}
