using System.Net;

namespace ElectraPipeline.Dashboard;

/// <summary>Where the dashboard listens and who may use it.</summary>
public sealed record DashboardOptions
{
    /// <summary>Shortest access token that is accepted, in characters: below this, guessing becomes possible.</summary>
    public const int ShortestToken = 16;

    /// <summary>"localhost", an IP address of this machine, or "*" for all of them. Anything but loopback needs a login.</summary>
    public string Address { get; init; } = "localhost";

    /// <summary>TCP port; 0 takes a free one.</summary>
    public int Port { get; init; } = 5075;

    /// <summary>
    /// The secret that every request must then carry: typed once into the login form, or sent as "Authorization: Bearer".
    /// Null: only requests from this machine are answered. Default: the environment variable ELECTRA_TOKEN. White space around it, such as
    /// the line feed of a file it was read from, does not count: no header could carry it.
    /// </summary>
    public string? AccessToken
    {
        get;
        init => field = value?.Trim();
    } = Environment.GetEnvironmentVariable("ELECTRA_TOKEN")?.Trim();

    /// <summary>Whether there are accounts; then everybody logs in, from this machine too.</summary>
    public bool HasAccounts { get; init; }

    /// <summary>
    /// IP addresses of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed; empty: these headers are ignored.
    /// Needs a login, because behind a proxy every request seems to come from the proxy's machine.
    /// </summary>
    public IReadOnlyList<string> TrustedProxies { get; init; } = [];

    /// <summary>Folder for the keys that sign cookies, so that a login outlives a restart. Null: ASP.NET Core's default place.</summary>
    public string? KeysFolder { get; init; }

    /// <summary>Whether an access token is configured.</summary>
    internal bool HasToken => !string.IsNullOrEmpty(AccessToken);

    /// <summary>Whether visitors must log in.</summary>
    internal bool RequiresLogin => HasToken || HasAccounts;

    /// <exception cref="DashboardOptionsException">
    /// An address, port or proxy is malformed, or the dashboard would be open to the network.
    /// </exception>
    internal void Validate()
    {
        IPAddress address = ListenAddress();
        if (Port is < 0 or > IPEndPoint.MaxPort)
        {
            throw new DashboardOptionsException($"dashboard port {Port} is not in 0..{IPEndPoint.MaxPort}");
        }

        if (!RequiresLogin && !IPAddress.IsLoopback(address))
        {
            throw new DashboardOptionsException(
                $"the dashboard would listen on {Address}, where other machines reach it, without an access token or accounts; "
                    + "set ELECTRA_TOKEN to a long random text, make an account (electra auth add), or listen on localhost"
            );
        }

        if (!RequiresLogin && TrustedProxies.Count > 0)
        {
            throw new DashboardOptionsException(
                "trusted proxies are configured without an access token or accounts: behind a proxy, visitors cannot be told from "
                    + "this machine; "
                    + "set ELECTRA_TOKEN to a long random text, or make an account (electra auth add)"
            );
        }

        if (HasToken && AccessToken!.Length < ShortestToken)
        {
            throw new DashboardOptionsException(
                $"the access token has {AccessToken.Length} characters, at least {ShortestToken} are needed; try: openssl rand -hex 24"
            );
        }

        _ = ProxyAddresses();
    }

    internal IPAddress ListenAddress() =>
        Address switch
        {
            "*" => IPAddress.IPv6Any,
            "localhost" => IPAddress.Loopback,
            _ when IPAddress.TryParse(Address, out IPAddress? parsed) => parsed,
            _ => throw new DashboardOptionsException($"dashboard address \"{Address}\" is neither an IP address, \"localhost\" nor \"*\""),
        };

    internal IReadOnlyList<IPAddress> ProxyAddresses() =>
        [
            .. TrustedProxies.Select(text =>
                IPAddress.TryParse(text, out IPAddress? parsed)
                    ? parsed
                    : throw new DashboardOptionsException($"trusted proxy \"{text}\" is not an IP address")
            ),
        ];
}
