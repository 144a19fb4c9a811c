using System.Reflection;
using System.Xml.Linq;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.Architecture;

/// <summary>Dependencies point one way: Training and Storage know nobody, Jobs knows both, Dashboard reads, Cli composes.</summary>
public sealed class DependencyTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Training"] = [],
        ["Storage"] = [],
        ["Jobs"] = ["Storage", "Training"],
        ["Dashboard"] = ["Jobs", "Storage"],
        ["Cli"] = ["Dashboard", "Jobs", "Storage", "Training"],
    };

    /// <summary>What a project may not use although the compiler would let it.</summary>
    private static readonly Dictionary<string, string[]> Forbidden = new()
    {
        ["Training"] = ["Npgsql", "Dapper", "Hangfire", "Microsoft.AspNetCore", "Microsoft.Extensions.Hosting"],
        ["Storage"] = ["Hangfire", "TorchSharp", "Microsoft.AspNetCore"],
        ["Jobs"] = ["Spectre.Console", "System.CommandLine"],
        ["Dashboard"] = ["TorchSharp", "Spectre.Console", "System.CommandLine"],
    };

    public static TheoryData<string> Projects => [.. Allowed.Keys];

    [Theory]
    [MemberData(nameof(Projects))]
    public void TheProjectFileNamesOnlyWhatIsAllowed(string project)
    {
        XDocument file = XDocument.Load(Path.Combine(SharedData.RepositoryRoot, project, $"{project}.csproj"));
        string[] named =
        [
            .. file.Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension((string)r.Attribute("Include")!)),
        ];
        Assert.Subset(Allowed[project].ToHashSet(), named.ToHashSet());
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void TheCompiledCodeUsesOnlyWhatIsAllowed(string project)
    {
        string[] used = [.. References(project)];
        string[] own =
        [
            .. used.Where(n => n.StartsWith("ElectraPipeline.", StringComparison.Ordinal)).Select(n => n["ElectraPipeline.".Length..]),
        ];
        Assert.Subset(Allowed[project].ToHashSet(), own.ToHashSet());
        foreach (string prefix in Forbidden.GetValueOrDefault(project, []))
        {
            Assert.DoesNotContain(used, n => n.StartsWith(prefix, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void NobodyKnowsTheExecutable()
    {
        foreach (string project in Allowed.Keys.Where(p => p != "Cli"))
        {
            Assert.DoesNotContain("electra", References(project));
        }
    }

    private static IEnumerable<string> References(string project)
    {
        string file = project == "Cli" ? "electra.dll" : $"ElectraPipeline.{project}.dll";
        return Assembly.LoadFrom(Path.Combine(BuiltElectra.Folder, file)).GetReferencedAssemblies().Select(a => a.Name!);
    }
}
