using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using ElectraPipeline.Storage.Artifacts;
using ElectraPipeline.Training;

namespace ElectraPipeline.Jobs.Child;

/// <summary>Starts a child for one order, passes its reports on, and makes sure that it ends.</summary>
internal sealed partial class ChildProcess(WorkerOptions worker)
{
    private const int ErrorLines = 20;
    private const int TerminateSignal = 15;

    /// <summary>Returns the result, JSON.</summary>
    /// <exception cref="PermanentException">The child said that trying again cannot help.</exception>
    /// <exception cref="DiskTroubleException">A disk takes no files.</exception>
    /// <exception cref="StageDiedException">The child failed or died.</exception>
    /// <exception cref="OperationCanceledException">It was told to stop, and did.</exception>
    public async Task<string> RunAsync(
        StageOrder order,
        string folder,
        IStageReporter reporter,
        Func<long, string, Task> onCheckpoint,
        CancellationToken cancellationToken
    )
    {
        string orderFile = Path.Combine(folder, "order.json");
        await File.WriteAllTextAsync(orderFile, CanonicalJson.Write(order), cancellationToken);

        // The parent-death signal is tied to the thread that starts the child, not to the process: a thread pool thread may end
        // while its worker lives on. So a thread of its own starts the child and waits for it.
        using var process = new Process { StartInfo = StartInfoOf(orderFile) };
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var keeper = new Thread(() => StartAndWait(process, started)) { IsBackground = true, Name = $"child {order.Stage}" };
        keeper.Start();
        await started.Task;
        reporter.Log($"child process {process.Id} started");

        var errors = new Queue<string>();
        Task readErrors = ReadErrorsAsync(process, errors);
        var outcome = new ChildOutcome();
        using (cancellationToken.Register(() => Stop(process)))
        {
            await ReadReportsAsync(process, reporter, onCheckpoint, outcome);
            await process.WaitForExitAsync(CancellationToken.None);
        }

        await readErrors;
        return ResultOf(process.ExitCode, order.Stage, outcome, errors, cancellationToken);
    }

    private static string ResultOf(
        int exitCode,
        string stage,
        ChildOutcome outcome,
        Queue<string> errors,
        CancellationToken cancellationToken
    )
    {
        if (outcome.Result is { } result && exitCode == StageProcess.Done)
        {
            return result;
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (outcome.Error is { } error)
        {
            throw error switch
            {
                { IsPermanent: true } => new PermanentException(error.Text),
                { IsDiskTrouble: true } => new DiskTroubleException(error.Text),
                _ => new StageDiedException(error.Text),
            };
        }

        string how = exitCode > 128 ? $"was ended by signal {exitCode - 128}" : $"ended with exit code {exitCode}";
        string tail = errors.Count == 0 ? "It printed no error." : "Its last lines:\n" + string.Join('\n', errors);
        throw new StageDiedException($"the child process of stage '{stage}' {how} without a result. {tail}");
    }

    private ProcessStartInfo StartInfoOf(string orderFile)
    {
        var info = new ProcessStartInfo(worker.Program[0])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (string argument in worker.Program.Skip(1))
        {
            info.ArgumentList.Add(argument);
        }

        info.ArgumentList.Add("stage-process");
        info.ArgumentList.Add(orderFile);
        TorchProcess.Prepare(info);
        return info;
    }

    private static void StartAndWait(Process process, TaskCompletionSource started)
    {
        try
        {
            process.Start();
        }
        catch (Exception e)
        {
            started.SetException(new StageDiedException($"cannot start {process.StartInfo.FileName}: {e.Message}"));
            return;
        }

        started.SetResult();
        try
        {
            process.WaitForExit();
        }
        catch (InvalidOperationException)
        {
            // Disposed by the reader after the end: nothing is left to wait for.
        }
    }

    private static async Task ReadReportsAsync(
        Process process,
        IStageReporter reporter,
        Func<long, string, Task> onCheckpoint,
        ChildOutcome outcome
    )
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            ChildMessage message;
            try
            {
                message = CanonicalJson.Read<ChildMessage>(line);
            }
            catch (JsonException)
            {
                // A native library wrote to standard output.
                reporter.Log(line);
                continue;
            }

            switch (message.Type)
            {
                case "progress":
                    reporter.Progress(message.Number, message.Total, message.Text);
                    break;
                case "metric":
                    reporter.Metric(message.Text, message.Number, message.Value);
                    break;
                case "log":
                    reporter.Log(message.Text);
                    break;
                case "checkpoint":
                    await TryPublishAsync(message, reporter, onCheckpoint);
                    break;
                case "result":
                    outcome.Result = message.Text;
                    break;
                case "error":
                    outcome.Error = message;
                    break;
            }
        }
    }

    // A checkpoint that cannot be published (database away, disk full) costs the time since the last one, not the training.
    private static async Task TryPublishAsync(ChildMessage message, IStageReporter reporter, Func<long, string, Task> onCheckpoint)
    {
        try
        {
            await onCheckpoint(message.Number, message.Text);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            reporter.Log($"checkpoint at step {message.Number:N0} not published: {e.Message}");
        }
        catch (OperationCanceledException)
        {
            reporter.Log($"checkpoint at step {message.Number:N0} not published: the stage stops");
        }
    }

    private static async Task ReadErrorsAsync(Process process, Queue<string> errors)
    {
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            errors.Enqueue(line);
            if (errors.Count > ErrorLines)
            {
                errors.Dequeue();
            }
        }
    }

    // First politely, so that it writes a checkpoint; then for good, so that nobody else's attempt finds it still writing.
    private void Stop(Process process)
    {
        try
        {
            _ = Signal(process.Id, TerminateSignal);
        }
        catch (InvalidOperationException)
        {
            return;
        }

        _ = Task.Run(async () =>
        {
            await Task.Delay(worker.ShutdownGrace);
            try
            {
                process.Kill(entireProcessTree: true);
            }
            catch (InvalidOperationException)
            {
                // It has ended.
            }
        });
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Signal(int process, int signal);

    private sealed class ChildOutcome
    {
        public string? Result { get; set; }

        public ChildMessage? Error { get; set; }
    }
}

/// <summary>A child process failed or died; another attempt may succeed.</summary>
internal sealed class StageDiedException(string message) : Exception(message);
