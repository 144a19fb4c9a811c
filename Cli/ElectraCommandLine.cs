using System.CommandLine;
using System.CommandLine.Help;
using ElectraPipeline.Cli.Commands;
using ElectraPipeline.Dashboard;
using ElectraPipeline.Storage;
using ElectraPipeline.Training;
using Npgsql;

namespace ElectraPipeline.Cli;

/// <summary>The command line as a whole: all commands, one place where errors become messages and exit codes.</summary>
internal static class ElectraCommandLine
{
    /// <summary>Time a command has to put its work down after Ctrl+C or SIGTERM.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(45);

    /// <summary>Runs one command line and returns its <see cref="ExitCode"/>.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var terminal = Terminal.OfProcess();
        ParseResult parsed = Create(terminal).Parse(args);
        if (parsed.Errors.Count > 0 && parsed.Action is not HelpWithExamples)
        {
            return RefuseParse(terminal, parsed);
        }

        try
        {
            return await parsed.InvokeAsync(
                new InvocationConfiguration
                {
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = parsed.CommandResult.Command.Name == StageProcessCommand.Name ? null : ShutdownTimeout,
                }
            );
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
        catch (Exception e) when (e is UsageException or PermanentException or StorageException or DashboardOptionsException)
        {
            terminal.Fail(e.Message);
            return ExitCode.WrongUse;
        }
        catch (NpgsqlException e)
        {
            // A database that could not be opened was described above; this one went away in the middle.
            string what = e is PostgresException answer ? answer.MessageText : e.GetBaseException().Message;
            terminal.Fail($"the database failed: {what.TrimEnd('.')}. Look at it (electra doctor), then try again.");
            return ExitCode.Failed;
        }
    }

    /// <summary>The tree of commands.</summary>
    public static RootCommand Create(Terminal terminal)
    {
        var root = new RootCommand("ElectraPipeline: from text to a versioned, evaluated ELECTRA model, by durable jobs.")
        {
            CommonOptions.Data,
            CommonOptions.Database,
            CommonOptions.Artifacts,
            CommonOptions.Inputs,
        };
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
        foreach (Command command in AllCommands(terminal))
        {
            root.Add(command);
        }

        return root;
    }

    private static IEnumerable<Command> AllCommands(Terminal terminal) =>
        [
            DemoCommand.Create(terminal),
            RunCommand.Create(terminal),
            UpCommand.Create(terminal),
            WorkerCommand.Create(terminal),
            StatusCommand.Create(terminal),
            RetryCommand.Create(terminal),
            CancelCommand.Create(terminal),
            PauseCommand.CreatePause(terminal),
            PauseCommand.CreateResume(terminal),
            DatasetsCommand.Create(terminal),
            IngestCommand.Create(terminal),
            ShardsCommand.Create(terminal),
            TokenizeCommand.Create(),
            VocabCommand.Create(terminal),
            ModelsCommand.Create(terminal),
            ImportCommand.Create(terminal),
            ExportCommand.Create(terminal),
            ScoreTextCommand.Create(),
            ConfigCommand.Create(terminal),
            ScheduleCommand.Create(terminal),
            VerifyCommand.Create(terminal),
            AuthCommand.Create(terminal),
            GcCommand.Create(terminal),
            DoctorCommand.Create(terminal),
            BackupCommand.Create(terminal),
            RestoreCommand.Create(terminal),
            HealthCommand.Create(terminal),
            StageProcessCommand.Create(),
        ];

    private static int RefuseParse(Terminal terminal, ParseResult parsed)
    {
        foreach (var error in parsed.Errors)
        {
            terminal.Fail(error.Message);
        }

        string path = string.Join(' ', NamesOf(parsed.CommandResult));
        terminal.Note($"See: {path} --help");
        return ExitCode.WrongUse;
    }

    private static IEnumerable<string> NamesOf(System.CommandLine.Parsing.CommandResult result) =>
        result.Parent is System.CommandLine.Parsing.CommandResult parent ? NamesOf(parent).Append(result.Command.Name) : ["electra"];
}
