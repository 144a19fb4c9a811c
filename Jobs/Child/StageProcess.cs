using System.Runtime.InteropServices;
using ElectraPipeline.Storage.Artifacts;
using ElectraPipeline.Training;

namespace ElectraPipeline.Jobs.Child;

/// <summary>The child process of a worker: does one training stage's work and exits.</summary>
public static partial class StageProcess
{
    /// <summary>Exit code: the result was sent.</summary>
    public const int Done = 0;

    /// <summary>Exit code: an error was sent.</summary>
    public const int Failed = 1;

    /// <summary>Exit code: stopped by request at a step's end, its checkpoint sent.</summary>
    public const int Interrupted = 3;

    /// <summary>Runs an order file; the exit code is one of the constants.</summary>
    public static int Main(string orderFile)
    {
        EndWithParent();
        var reporter = new ChildReporter();
        using var stop = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(
            PosixSignal.SIGTERM,
            context =>
            {
                context.Cancel = true;
                stop.Cancel();
            }
        );
        try
        {
            var order = CanonicalJson.Read<StageOrder>(File.ReadAllText(orderFile));
            var work = (IChildWork)Pipeline.Find(order.Stage);
            string result = work.RunInChild(order.Request, reporter, stop.Token);
            reporter.Send(new ChildMessage { Type = "result", Text = result });
            return Done;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return Interrupted;
        }
        catch (Exception e) when (DiskTrouble.In(e, Path.GetDirectoryName(Path.GetFullPath(orderFile))!) is { } trouble)
        {
            reporter.Send(
                new ChildMessage
                {
                    Type = "error",
                    Text = trouble.Message,
                    IsDiskTrouble = true,
                }
            );
            return Failed;
        }
        catch (PermanentException e)
        {
            reporter.Send(
                new ChildMessage
                {
                    Type = "error",
                    Text = e.Message,
                    IsPermanent = true,
                }
            );
            return Failed;
        }
        catch (IOException e)
        {
            reporter.Send(new ChildMessage { Type = "error", Text = e.Message });
            return Failed;
        }
        catch (Exception e)
        {
            reporter.Send(new ChildMessage { Type = "error", Text = e.ToString() });
            return Failed;
        }
    }

    // Two ways to end with the worker: the kernel's signal, which also covers kill -9, and the pipe that closes, which covers a
    // parent that died before the signal was asked for.
    private static void EndWithParent()
    {
        const int SetParentDeathSignal = 1;
        const int Kill = 9;
        if (OperatingSystem.IsLinux())
        {
            _ = ProcessControl(SetParentDeathSignal, Kill, 0, 0, 0);
        }

        var watch = new Thread(() =>
        {
            using var input = Console.OpenStandardInput();
            byte[] buffer = new byte[16];
            while (input.Read(buffer) > 0) { }

            Environment.FailFast("the worker that started this stage is gone");
        })
        {
            IsBackground = true,
            Name = "parent watch",
        };
        watch.Start();
    }

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int ProcessControl(int option, nuint argument2, nuint argument3, nuint argument4, nuint argument5);
}
