using System.CommandLine;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Cli.Rendering;
using ElectraPipeline.Dashboard.Security;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Accounts;
using ElectraPipeline.Storage.ReadModels;
using Spectre.Console;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Accounts of the dashboard, and who did what.</summary>
internal static class AuthCommand
{
    private static readonly Argument<string> Name = new("NAME") { Description = "Lower-case name; actions are recorded under it." };
    private static readonly Option<string> Role = new("--role")
    {
        Description = "viewer looks, operator also retries, cancels and switches schedules.",
        HelpName = "ROLE",
        DefaultValueFactory = _ => "viewer",
    };

    private static readonly Option<int> Limit = new("--limit")
    {
        Description = "How many deeds at most, the newest first.",
        HelpName = "N",
        DefaultValueFactory = _ => 50,
    };

    public static Command Create(Terminal terminal)
    {
        Role.AcceptOnlyFromAmong("viewer", "operator");
        var command = new ExampleCommand(
            "auth",
            "Accounts of the dashboard. As soon as there is one, everybody logs in, from this machine too.",
            "auth add ada --role operator",
            "auth list"
        );
        command.Add(
            Action(
                new ExampleCommand(
                    "add",
                    "Make an account or change it; the password is asked for, or read from standard input.",
                    "auth add ada --role operator"
                )
                {
                    Name,
                    Role,
                },
                (parsed, cancellationToken) => AddAsync(terminal, parsed, cancellationToken)
            )
        );
        command.Add(
            Action(
                new ExampleCommand("list", "List the accounts.", "auth list") { CommonOptions.Json },
                (parsed, cancellationToken) => ListAsync(terminal, parsed, cancellationToken)
            )
        );
        command.Add(
            Action(
                new ExampleCommand("remove", "Remove an account; its logins end at once.", "auth remove ada") { Name },
                (parsed, cancellationToken) => RemoveAsync(terminal, parsed, cancellationToken)
            )
        );
        command.Add(
            Action(
                new ExampleCommand(
                    "log",
                    "Who did what and when, in the dashboard and on the command line.",
                    "auth log",
                    "auth log --limit 1000 --json"
                )
                {
                    Limit,
                    CommonOptions.Json,
                },
                (parsed, cancellationToken) => LogAsync(terminal, parsed, cancellationToken)
            )
        );
        return command;
    }

    private static Command Action(Command command, Func<ParseResult, CancellationToken, Task<int>> action)
    {
        command.SetAction(action);
        return command;
    }

    private static async Task<int> AddAsync(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        string name = parsed.GetRequiredValue(Name);
        string password = await PasswordAsync(terminal, name, cancellationToken);
        await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
        await storage.Accounts.SaveAsync(name, parsed.GetRequiredValue(Role), Passwords.Hash(password), Workspace.Actor, cancellationToken);
        terminal.Note($"{name} may log in as {parsed.GetValue(Role)}; dashboards that run learn of a first account when they start again");
        return ExitCode.Done;
    }

    // Never an argument: those stay in the shell's history and show in process lists.
    private static async Task<string> PasswordAsync(Terminal terminal, string name, CancellationToken cancellationToken)
    {
        string? password = Console.IsInputRedirected
            ? await Console.In.ReadLineAsync(cancellationToken)
            : await terminal.Error.PromptAsync(new TextPrompt<string>($"password of {name}:").Secret(), cancellationToken);
        password = Passwords.Trimmed(password ?? "");
        return password.Length >= Passwords.Shortest
            ? password
            : throw new UsageException($"the password has {password.Length} characters, at least {Passwords.Shortest} are needed");
    }

    private static async Task<int> ListAsync(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
        IReadOnlyList<Account> accounts = await storage.Accounts.ListAsync(cancellationToken);
        if (parsed.GetValue(CommonOptions.Json))
        {
            terminal.WriteJson(
                accounts.Select(account => new
                {
                    account.Name,
                    account.Role,
                    account.CreatedAt,
                })
            );
            return ExitCode.Done;
        }

        var table = new Table { Border = TableBorder.Simple };
        table.AddColumns("name", "role", "changed");
        foreach (Account account in accounts)
        {
            table.AddRow(Markup.Escape(account.Name), account.Role, Durations.Ago(account.CreatedAt, TimeProvider.System.GetUtcNow()));
        }

        terminal.Output.Write(table);
        return ExitCode.Done;
    }

    private static async Task<int> LogAsync(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        int limit = parsed.GetValue(Limit);
        if (limit < 1)
        {
            throw new UsageException($"--limit {limit}: give 1 or more");
        }

        await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
        IReadOnlyList<EventRow> deeds = await storage.Queries.DeedsAsync(null, limit, cancellationToken);
        if (parsed.GetValue(CommonOptions.Json))
        {
            terminal.WriteJson(
                deeds.Select(deed => new
                {
                    deed.RecordedAt,
                    deed.Actor,
                    deed.Action,
                    deed.RunId,
                    deed.Stage,
                    deed.Detail,
                })
            );
            return ExitCode.Done;
        }

        var table = new Table { Border = TableBorder.Simple };
        table.AddColumns("when (UTC)", "who", "what", "about");
        foreach (EventRow deed in deeds)
        {
            string?[] about = [deed.RunId is { } run ? $"run {run}" : null, deed.Stage, deed.Detail];
            table.AddRow(
                $"{deed.RecordedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss}",
                Markup.Escape(deed.Actor["user:".Length..]),
                Markup.Escape(deed.Action),
                Markup.Escape(string.Join(' ', about.OfType<string>()))
            );
        }

        terminal.Output.Write(table);
        return ExitCode.Done;
    }

    private static async Task<int> RemoveAsync(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        string name = parsed.GetRequiredValue(Name);
        await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
        if (!await storage.Accounts.RemoveAsync(name, Workspace.Actor, cancellationToken))
        {
            throw new UsageException($"there is no account {name}; see: electra auth list");
        }

        terminal.Note($"{name} is removed");
        return ExitCode.Done;
    }
}
