using System.Net;
using System.Net.Sockets;

namespace ElectraPipeline.Cli.Hosting;

/// <summary>The dashboard's TCP port.</summary>
internal static class DashboardPort
{
    /// <summary>The port where nothing else was asked for.</summary>
    public const int Default = 8484;

    private const int Tries = 50;

    /// <summary>The first free port on loopback from <see cref="Default"/> on.</summary>
    public static int NextFree()
    {
        for (int port = Default; port < Default + Tries; port++)
        {
            if (IsFree(port))
            {
                return port;
            }
        }

        throw new UsageException($"no port from {Default} to {Default + Tries - 1} is free; name one with --port");
    }

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
