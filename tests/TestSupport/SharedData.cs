using Xunit;

namespace ElectraPipeline.TestSupport;

/// <summary>Reference data that stands beside the repository, in ../shared: golden numbers and real files.</summary>
public static class SharedData
{
    /// <summary>The repository's root: the folder with ElectraPipeline.sln.</summary>
    public static string RepositoryRoot { get; } = FindRoot();

    /// <summary>
    /// The full path of "golden/..." or "data/...". Missing: the test fails where CI=true, else it is skipped with a message.
    /// </summary>
    public static string Require(string path)
    {
        string full = Path.GetFullPath(Path.Combine(RepositoryRoot, "..", "shared", path));
        if (!File.Exists(full) && !Directory.Exists(full))
        {
            string message = $"reference data not found: ../shared/{path} (beside the repository)";
            Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") != "true", message);
            Assert.Fail(message);
        }

        return full;
    }

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "ElectraPipeline.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new DirectoryNotFoundException($"no ElectraPipeline.sln above {AppContext.BaseDirectory}");
    }
}
