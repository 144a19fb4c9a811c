using ElectraPipeline.Dashboard;

namespace ElectraPipeline.Cli.Hosting;

/// <summary>Where this process's dashboard is.</summary>
internal static class DashboardSettings
{
    /// <summary>On loopback, at the usual port or the next that is free.</summary>
    public static DashboardOptions Local(string dataFolder) => At(dataFolder, "localhost", DashboardPort.NextFree());

    /// <summary>At an address and port; anything but loopback needs the access token of the environment.</summary>
    public static DashboardOptions At(string dataFolder, string address, int port) => new()
    {
        Address = address,
        Port = port,
        KeysFolder = Path.Combine(dataFolder, "keys"),
    };

    /// <summary>What to type into a browser on this machine.</summary>
    public static string AddressOf(DashboardOptions options) => $"http://{(options.Address == "*" ? "localhost" : options.Address)}:{options.Port}";
}
