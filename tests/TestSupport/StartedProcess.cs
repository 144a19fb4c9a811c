using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace ElectraPipeline.TestSupport;

/// <summary>What a process left.</summary>
public sealed record ProcessResult(int ExitCode, string Output, string Error)
{
    /// <summary>For messages of failed assertions.</summary>
    public override string ToString() => $"exit code {ExitCode}\n--- standard output\n{Output}\n--- standard error\n{Error}";
}

/// <summary>A process whose output is collected; disposing it kills it if it still runs.</summary>
public sealed class StartedProcess : IDisposable
{
    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly StringBuilder error = new();

    private StartedProcess(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, e) => Append(output, e.Data);
        process.ErrorDataReceived += (_, e) => Append(error, e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    /// <summary>Starts a program; a null value removes a variable from its environment.</summary>
    public static StartedProcess Start(
        string program,
        IReadOnlyDictionary<string, string?> environment,
        IEnumerable<string> arguments,
        string? folder = null
    )
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        // The executable finds the runtime that runs these tests, wherever it is installed.
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        foreach ((string name, string? value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return new StartedProcess(process);
    }

    /// <summary>What was written so far.</summary>
    public ProcessResult Snapshot()
    {
        lock (output)
        {
            lock (error)
            {
                return new ProcessResult(process.HasExited ? process.ExitCode : -1, output.ToString(), error.ToString());
            }
        }
    }

    /// <summary>Waits for the end; kills the process and throws when it takes longer than <paramref name="limit"/>.</summary>
    public async Task<ProcessResult> WaitAsync(TimeSpan limit)
    {
        using var timeout = new CancellationTokenSource(limit);
        try
        {
            await process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            ProcessResult soFar = Snapshot();
            process.Kill(entireProcessTree: true);
            throw new TimeoutException(
                $"'{process.StartInfo.FileName} {string.Join(' ', process.StartInfo.ArgumentList)}' still ran after {limit}\n{soFar}"
            );
        }

        return Snapshot();
    }

    /// <summary>kill -9, the process alone.</summary>
    public void Kill() => process.Kill();

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }

        process.Dispose();
    }

    private static void Append(StringBuilder builder, string? line)
    {
        if (line is not null)
        {
            lock (builder)
            {
                builder.Append(line).Append('\n');
            }
        }
    }
}
