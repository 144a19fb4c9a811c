using ElectraPipeline.TestSupport;

namespace ElectraPipeline.Chaos;

/// <summary>One "electra worker" of a campaign.</summary>
internal sealed class WorkerProcess(StartedProcess process) : IDisposable
{
    private bool isDisposed;

    public bool IsRunning => !isDisposed && !process.HasExited;

    /// <summary>What it wrote so far.</summary>
    public ProcessResult Output => process.Snapshot();

    public void Signal(int signal)
    {
        if (IsRunning)
        {
            Signals.Send(process.Id, signal);
        }
    }

    /// <summary>Ids of its training children.</summary>
    public IEnumerable<int> Children()
    {
        string list = $"/proc/{process.Id}/task";
        return Directory.Exists(list) ? Directory.EnumerateDirectories(list).SelectMany(ChildrenOf).ToList() : [];
    }

    public void Dispose()
    {
        Signal(Signals.Continue);
        isDisposed = true;
        process.Dispose();
    }

    // The kernel lists children by the thread that started them.
    private static IEnumerable<int> ChildrenOf(string thread)
    {
        try
        {
            return File.ReadAllText(Path.Combine(thread, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse);
        }
        catch (IOException)
        {
            return [];
        }
    }
}
