using ElectraPipeline.Dashboard;
using ElectraPipeline.Storage;

namespace ElectraPipeline.Cli.Hosting;

/// <summary>Where this process's dashboard is.</summary>
internal static class DashboardSettings
{
    /// <summary>On loopback, at the usual port or the next that is free.</summary>
    public static Task<DashboardOptions> LocalAsync(ElectraStorage storage, CancellationToken cancellationToken) =>
        AtAsync(storage, "localhost", DashboardPort.NextFree(), cancellationToken);

    /// <summary>At an address and port; anything but loopback needs accounts, or the access token of the environment.</summary>
    public static async Task<DashboardOptions> AtAsync(
        ElectraStorage storage,
        string address,
        int port,
        CancellationToken cancellationToken
    ) =>
        new()
        {
            Address = address,
            Port = port,
            KeysFolder = Path.Combine(storage.DataFolder, "keys"),
            HasAccounts = (await storage.Accounts.ListAsync(cancellationToken)).Count > 0,
        };

    /// <summary>What to type into a browser on this machine.</summary>
    public static string AddressOf(DashboardOptions options) =>
        $"http://{(options.Address == "*" ? "localhost" : options.Address)}:{options.Port}";
}
