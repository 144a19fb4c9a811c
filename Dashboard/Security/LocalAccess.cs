using System.Net;
using Microsoft.AspNetCore.Http;

namespace ElectraPipeline.Dashboard.Security;

/// <summary>Decides, while no access token is configured, whether a request comes from a person at this machine.</summary>
/// <remarks>
/// A loopback socket alone proves nothing: a reverse proxy on the same host connects from loopback for everyone, and a web page can
/// point its own host name at 127.0.0.1 (DNS rebinding). So the Host header must name this machine and no proxy may have left a mark.
/// A proxy that leaves none and rewrites Host cannot be told apart: set an access token behind any proxy.
/// </remarks>
internal static class LocalAccess
{
    private static readonly string[] _proxyHeaders =
    [
        "Forwarded",
        "Via",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Real-IP",
    ];

    /// <summary>Why the request is refused, or null if it is local.</summary>
    public static string? Refusal(HttpContext context)
    {
        IPAddress? remote = context.Connection.RemoteIpAddress;
        if (remote is null || !IPAddress.IsLoopback(remote))
        {
            return "Only this machine may use the dashboard while no access token is configured.";
        }

        string? header = Array.Find(_proxyHeaders, context.Request.Headers.ContainsKey);
        if (header is not null)
        {
            return $"The request came through a proxy (it has the header {header}); that needs an access token.";
        }

        return IsLoopbackName(context.Request.Host.Host)
            ? null
            : $"The host name \"{context.Request.Host.Host}\" does not name this machine; use localhost, or configure an access token.";
    }

    private static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));
}
