namespace ElectraPipeline.TestSupport;

/// <summary>The executable that was built beside these tests, started as users start it.</summary>
public static class BuiltElectra
{
    /// <summary>The folder of the executable: the same configuration as these tests.</summary>
    public static string Folder { get; } = FindFolder();

    /// <summary>Starts "electra" with these arguments; standard output and error are collected.</summary>
    public static StartedProcess Start(IReadOnlyDictionary<string, string?> environment, params string[] arguments) =>
        StartedProcess.Start(Path.Combine(Folder, "electra"), environment, arguments);

    /// <summary>Runs "electra" to its end.</summary>
    public static async Task<ProcessResult> RunAsync(IReadOnlyDictionary<string, string?> environment, params string[] arguments)
    {
        using StartedProcess process = Start(environment, arguments);
        return await process.WaitAsync(TimeSpan.FromMinutes(3));
    }

    private static string FindFolder()
    {
        var own = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        return Path.Combine(SharedData.RepositoryRoot, "Cli", "bin", own.Parent!.Name, own.Name);
    }
}
