using System.Text.Json;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.CommandLine;

/// <summary>Accounts by the command line; the password comes by standard input.</summary>
public sealed class AuthTests
{
    [Fact]
    public async Task AccountsAreMadeListedAndRemoved()
    {
        using var project = new TinyProject();
        ProcessResult weak = await AddAsync(project, "ada", "short");
        Assert.Equal(2, weak.ExitCode);
        Assert.Contains("at least 12", weak.Error);
        Assert.Contains("has 5 characters", (await AddAsync(project, "ada", "  short        ")).Error);
        ProcessResult misnamed = await AddAsync(project, "Ada Lovelace", "a password of some length");
        Assert.Equal(2, misnamed.ExitCode);
        Assert.Contains("a-z", misnamed.Error);

        ProcessResult added = await AddAsync(project, "ada", "a password of some length");
        Assert.True(added.ExitCode == 0, added.ToString());
        string list = (await project.SucceedAsync("auth", "list", "--json")).Output;
        Assert.Contains("\"name\": \"ada\"", list);
        Assert.Contains("\"role\": \"operator\"", list);
        Assert.DoesNotContain("hash", list, StringComparison.OrdinalIgnoreCase);
        await project.SucceedAsync("auth", "remove", "ada");
        Assert.Equal(2, (await project.RunAsync("auth", "remove", "ada")).ExitCode);

        using var log = JsonDocument.Parse((await project.SucceedAsync("auth", "log", "--json")).Output);
        var deeds = log
            .RootElement.EnumerateArray()
            .Select(deed => $"{deed.GetProperty("actor")} {deed.GetProperty("action")} {deed.GetProperty("detail")}")
            .ToList();
        Assert.Equal(
            [$"user:{Environment.UserName} account removed ada", $"user:{Environment.UserName} account saved ada (operator)"],
            deeds
        );
        Assert.Contains("account removed", (await project.SucceedAsync("auth", "log", "--limit", "1")).Output);
    }

    private static async Task<ProcessResult> AddAsync(TinyProject project, string name, string password)
    {
        string program = Path.Combine(BuiltElectra.Folder, "electra");
        using StartedProcess shell = StartedProcess.Start(
            "/bin/sh",
            project.Environment,
            ["-c", $"echo '{password}' | '{program}' auth add '{name}' --role operator"]
        );
        return await shell.WaitAsync(TimeSpan.FromMinutes(1));
    }
}
