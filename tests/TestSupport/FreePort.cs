using System.Net;
using System.Net.Sockets;

namespace ElectraPipeline.TestSupport;

/// <summary>TCP ports for programs that are told theirs.</summary>
public static class FreePort
{
    /// <summary>One of 127.0.0.1 that was free a moment ago.</summary>
    public static int Find()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
