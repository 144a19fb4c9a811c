using System.Globalization;
using System.Net;
using ElectraPipeline.Storage.Accounts;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ElectraPipeline.Dashboard.Security;

/// <summary>
/// Records in the audit log whom the login refused, and fills it no faster than so many rows a minute: of each kind the first try of a
/// name from an address, and how many more there were once the minute is over.
/// </summary>
internal sealed partial class LoginRefusals(AuditLog audit, TimeProvider clock, ILogger<LoginRefusals> logger) : BackgroundService
{
    /// <summary>Rows of a kind and minute that name who and from where.</summary>
    public const int RowsPerMinute = 20;

    /// <summary>The secret was wrong.</summary>
    public const string Wrong = "login refused";

    /// <summary>A limit of <see cref="LoginThrottle"/> was reached, and the secret was not looked at.</summary>
    public const string Throttled = "login throttled";

    private static readonly TimeSpan Look = TimeSpan.FromSeconds(5);
    private readonly Lock gate = new();
    private readonly Dictionary<string, Kind> kinds = new() { [Wrong] = new Kind(), [Throttled] = new Kind() };
    private long minute;

    /// <summary>Records a refusal, now or with others of its minute.</summary>
    /// <param name="action"><see cref="Wrong"/> or <see cref="Throttled"/>.</param>
    /// <param name="name">What the visitor calls itself.</param>
    /// <param name="address">Where it comes from.</param>
    public async Task RecordAsync(string action, string name, IPAddress? address)
    {
        await RecordFinishedAsync();
        bool isNew;
        lock (gate)
        {
            Kind kind = kinds[action];
            string who = $"{name}\n{(address is null ? "" : Convert.ToHexString(LoginThrottle.NetworkOf(address)))}";
            isNew = kind.Named.Count < RowsPerMinute && kind.Named.Add(who);
            kind.Others += isNew ? 0 : 1;
        }

        if (isNew)
        {
            await WriteAsync($"user:{name}", action, From(address));
        }
    }

    /// <summary>The end of an entry about a visitor.</summary>
    public static string From(IPAddress? address) => $"from {address}";

    /// <summary>Records the rest of a minute when it is over, and of the last one at the end.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Look, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await RecordFinishedAsync();
            }
        }
        catch (OperationCanceledException)
        {
            await RecordFinishedAsync(isEnd: true);
        }
    }

    private async Task RecordFinishedAsync(bool isEnd = false)
    {
        var finished = new List<(string Action, string Detail)>();
        lock (gate)
        {
            long now = clock.GetUtcNow().ToUnixTimeSeconds() / 60;
            if (now == minute && !isEnd)
            {
                return;
            }

            foreach ((string action, Kind kind) in kinds.Where(pair => pair.Value.Others > 0))
            {
                var begin = DateTimeOffset.FromUnixTimeSeconds(minute * 60);
                string others = kind.Others.ToString("N0", CultureInfo.InvariantCulture);
                finished.Add((action, $"{others} more in the minute from {begin:HH:mm} UTC"));
            }

            foreach (Kind kind in kinds.Values)
            {
                kind.Named.Clear();
                kind.Others = 0;
            }

            minute = now;
        }

        foreach ((string action, string detail) in finished)
        {
            await WriteAsync("user:(several)", action, detail);
        }
    }

    // Whoever is refused is so with the database away, too.
    private async Task WriteAsync(string actor, string action, string detail)
    {
        try
        {
            await audit.RecordAsync(actor, action, detail, CancellationToken.None);
        }
        catch (Exception e) when (e is Npgsql.NpgsqlException or TimeoutException or ObjectDisposedException)
        {
            LogLost(logger, actor, action, detail, e.Message);
        }
    }

    [LoggerMessage(4101, LogLevel.Warning, "Not in the audit log: {Actor}, {Action} {Detail}: {Error}")]
    private static partial void LogLost(ILogger logger, string actor, string action, string detail, string error);

    private sealed class Kind
    {
        public HashSet<string> Named { get; } = new(StringComparer.Ordinal);

        public long Others { get; set; }
    }
}
