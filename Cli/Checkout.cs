namespace ElectraPipeline.Cli;

/// <summary>The source tree this executable was built in, if it still stands there.</summary>
internal static class Checkout
{
    /// <summary>The folder with ElectraPipeline.sln above the executable; null for an installed copy.</summary>
    public static string? Root { get; } = Find();

    /// <summary>The folder "configs": of the checkout, else beside the executable.</summary>
    public static string Configs { get; } = Path.Combine(Root ?? AppContext.BaseDirectory, "configs");

    private static string? Find()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "ElectraPipeline.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder;
    }
}
