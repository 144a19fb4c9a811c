using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using ElectraPipeline.Cli;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.CommandLine;

/// <summary>Every command explains itself, and every command line that the project shows to people is one.</summary>
public sealed partial class CommandTreeTests
{
    private static readonly RootCommand Root = ElectraCommandLine.Create(Terminal.OfProcess());

    public static TheoryData<string> Commands => [.. All(Root, "").Select(c => c.Path)];

    [Theory]
    [MemberData(nameof(Commands))]
    public void ACommandHasADescriptionAndExamplesThatParse(string path)
    {
        var command = Assert.IsType<ExampleCommand>(All(Root, "").Single(c => c.Path == path).Command);
        Assert.False(string.IsNullOrWhiteSpace(command.Description));
        Assert.NotEmpty(command.Examples);
        Assert.All(command.Examples, AssertParses);
    }

    [Fact]
    public void TheCommandLinesOfTheReadmeParse()
    {
        string readme = Path.Combine(SharedData.RepositoryRoot, "README.md");
        Assert.SkipUnless(File.Exists(readme), "there is no README.md yet");
        string[] lines =
        [
            .. ReadmeLine()
                .Matches(File.ReadAllText(readme))
                .SelectMany(m => m.Groups[1].Value.Split(" #")[0].Split(" ; "))
                .Select(line => line.Trim().Replace("./electra ", "")),
        ];
        Assert.NotEmpty(lines);
        Assert.All(lines.Where(l => l != "test" && !l.StartsWith("test ", StringComparison.Ordinal)), AssertParses);
    }

    [Fact]
    public void TheCommandsOfTheComposeFileParse()
    {
        string[][] commands =
        [
            .. ComposeCommand().Matches(Compose()).Select(m => ComposeWord().Matches(m.Value).Select(w => w.Groups[1].Value).ToArray()),
        ];
        string[][] checks = [.. commands.Where(c => c.Contains("/app/electra")).Select(c => c[2..])];
        string[][] services = [.. commands.Where(c => c[0] != "CMD")];
        Assert.Equal(3, services.Length);
        Assert.Equal(2, checks.Length);
        Assert.All(services.Concat(checks), words => Assert.Empty(Root.Parse(words).Errors));
    }

    [Fact]
    public void TheComposeFileHoldsNoSecretAndPublishesOnLoopbackOnly()
    {
        string[] secrets = [.. Secret().Matches(Compose()).Select(m => m.Groups[1].Value)];
        string[] ports = [.. Port().Matches(Compose()).Select(m => m.Groups[1].Value)];
        Assert.Equal(3, secrets.Length);
        Assert.All(secrets, value => Assert.Matches(@"^\$\{\w+:\?.+\}$", value));
        Assert.Equal(["127.0.0.1:8484:8484"], ports);
    }

    /// <summary>By the plugin of the docker client, or by the older program of its own: the file is for both.</summary>
    [Fact]
    public async Task DockerAcceptsTheComposeFile()
    {
        string[]? compose = await ComposeProgramAsync();
        Assert.SkipWhen(
            compose is null && Environment.GetEnvironmentVariable("CI") != "true",
            "neither 'docker compose' nor docker-compose is here"
        );
        Assert.NotNull(compose);
        using var config = StartedProcess.Start(
            compose[0],
            Secrets,
            [.. compose[1..], "--profile", "gpu", "config"],
            SharedData.RepositoryRoot
        );
        ProcessResult result = await config.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.All((string[])["postgres:", "dashboard:", "worker:", "gpu-worker:", "nvidia"], word => Assert.Contains(word, result.Output));
    }

    private static Dictionary<string, string?> Secrets => new() { ["ELECTRA_POSTGRES_PASSWORD"] = "a", ["ELECTRA_TOKEN"] = "b" };

    private static async Task<string[]?> ComposeProgramAsync()
    {
        foreach (
            string[] program in (string[][])
                [
                    ["docker", "compose"],
                    ["docker-compose"],
                ]
        )
        {
            string? path = Environment
                .GetEnvironmentVariable("PATH")!
                .Split(':')
                .Select(folder => Path.Combine(folder, program[0]))
                .FirstOrDefault(File.Exists);
            if (path is null)
            {
                continue;
            }

            using var probe = StartedProcess.Start(path, Secrets, [.. program[1..], "version"]);
            if ((await probe.WaitAsync(TimeSpan.FromMinutes(1))).ExitCode == 0)
            {
                return [path, .. program[1..]];
            }
        }

        return null;
    }

    private static string Compose() => File.ReadAllText(Path.Combine(SharedData.RepositoryRoot, "docker-compose.yml"));

    private static void AssertParses(string line) => Assert.Empty(Root.Parse([.. CommandLineParser.SplitCommandLine(line)]).Errors);

    private static IEnumerable<(string Path, Command Command)> All(Command parent, string path) =>
        parent
            .Subcommands.Where(command => !command.Hidden)
            .SelectMany(command => All(command, $"{path} {command.Name}".Trim()).Prepend(($"{path} {command.Name}".Trim(), command)));

    [GeneratedRegex(@"^\s*(?:\$ )?\./electra ([^\n]+)$", RegexOptions.Multiline)]
    private static partial Regex ReadmeLine();

    [GeneratedRegex(@"(?:command|test): (?:&\S+ )?\[.*\]")]
    private static partial Regex ComposeCommand();

    [GeneratedRegex("\"([^\"]*)\"")]
    private static partial Regex ComposeWord();

    [GeneratedRegex(@"(?:PASSWORD|TOKEN): (.*)")]
    private static partial Regex Secret();

    [GeneratedRegex(@"- ""([\d.]+:\d[\d:.]*)""")]
    private static partial Regex Port();
}
