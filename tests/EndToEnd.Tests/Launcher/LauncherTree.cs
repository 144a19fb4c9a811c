using ElectraPipeline.TestSupport;

namespace ElectraPipeline.EndToEnd.Tests.Launcher;

/// <summary>
/// A tree with the real launcher and, in place of the .NET SDK, a script that notes how it was called and "builds" an executable that
/// prints its arguments. So the launcher's decisions can be seen without a build.
/// </summary>
internal sealed class LauncherTree : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("electra launcher ").FullName;

    public LauncherTree()
    {
        Root = Path.Combine(folder, "a clone");
        Tools = Path.Combine(folder, "tools");
        Directory.CreateDirectory(Path.Combine(Root, "build"));
        Directory.CreateDirectory(Path.Combine(Tools, "host", "fxr"));
        foreach (string project in (string[])["Cli", "Dashboard", "Jobs", "Storage", "Training"])
        {
            Directory.CreateDirectory(Path.Combine(Root, project));
            File.WriteAllText(Path.Combine(Root, project, $"{project}.cs"), "// source");
        }

        string source = SharedData.RepositoryRoot;
        Copy(Path.Combine(source, "electra"), Path.Combine(Root, "electra"));
        Directory.CreateDirectory(Path.Combine(Root, "build", "launcher"));
        foreach (string part in Directory.GetFiles(Path.Combine(source, "build", "launcher")))
        {
            Copy(part, Path.Combine(Root, "build", "launcher", Path.GetFileName(part)));
        }

        WriteScript(
            Path.Combine(Tools, "dotnet"),
            """
            #!/bin/sh
            case $1 in
                --list-sdks) echo "${FAKE_SDK:-10.0.100} [/usr/share/dotnet/sdk]"; exit ;;
                build) ;;
                *) echo "dotnet $*"; exit ;;
            esac
            echo "$*" >>"$BUILD_LOG"
            if [ -n "${FAKE_ERROR:-}" ]; then echo "Program.cs(1,1): error $FAKE_ERROR"; exit 1; fi
            mkdir -p Cli/bin/Release/net10.0
            printf '%s\n' '#!/bin/sh' 'printf "[%s]" "$@"' 'exit ${FAKE_CODE:-0}' >Cli/bin/Release/net10.0/electra
            chmod +x Cli/bin/Release/net10.0/electra
            """
        );
        WriteScript(
            Path.Combine(Tools, "apt-get"),
            "#!/bin/sh\necho \"$*\" >>\"$APT_LOG\"\necho \"E: no network\"\nexit ${FAKE_APT_CODE:-0}\n"
        );
    }

    public string Root { get; }

    public string Tools { get; }

    /// <summary>How often the SDK was asked to build.</summary>
    public int Builds => File.Exists(BuildLog) ? File.ReadAllLines(BuildLog).Length : 0;

    /// <summary>The calls of apt-get, which here installs nothing.</summary>
    public string[] Installations => File.Exists(AptLog) ? File.ReadAllLines(AptLog) : [];

    private string AptLog => Path.Combine(folder, "installations");

    private string BuildLog => Path.Combine(folder, "builds");

    /// <summary>Runs the launcher as <paramref name="script"/> (default: the tree's own) from a folder that is not the tree's.</summary>
    public Task<ProcessResult> RunAsync(
        IEnumerable<string> arguments,
        string? script = null,
        Dictionary<string, string?>? environment = null
    ) => ShellAsync(script ?? Path.Combine(Root, "electra"), arguments, environment);

    /// <summary>Runs shell text with the launcher's functions loaded, so that one of them can be tried on its own.</summary>
    public Task<ProcessResult> FunctionAsync(string text, Dictionary<string, string?>? environment = null) =>
        ShellAsync("/bin/sh", ["-euc", $". '{Root}/build/launcher/system.sh'\n{text}"], environment);

    public static void WriteScript(string path, string text)
    {
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private async Task<ProcessResult> ShellAsync(string program, IEnumerable<string> arguments, Dictionary<string, string?>? environment)
    {
        var variables = new Dictionary<string, string?>(environment ?? [])
        {
            ["BUILD_LOG"] = BuildLog,
            ["APT_LOG"] = AptLog,
            ["ELECTRA_DATABASE"] = null,
            ["TorchDevice"] = null,
        };
        variables.TryAdd("PATH", $"{Tools}:/usr/bin:/bin:/usr/sbin:/sbin");
        using var process = StartedProcess.Start(program, variables, arguments, folder);
        return await process.WaitAsync(TimeSpan.FromMinutes(1));
    }

    private static void Copy(string from, string to)
    {
        File.Copy(from, to);
        File.SetUnixFileMode(to, File.GetUnixFileMode(from));
    }
}
