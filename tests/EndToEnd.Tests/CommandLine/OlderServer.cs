using System.Net;
using System.Net.Sockets;

namespace ElectraPipeline.EndToEnd.Tests.CommandLine;

/// <summary>A door to a real PostgreSQL that says to be of version 12: it passes all bytes on but those of the version.</summary>
internal sealed class OlderServer : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly string socketPath;

    /// <summary>Opens it on a free port.</summary>
    /// <param name="socketPath">Socket of the real server.</param>
    public OlderServer(string socketPath)
    {
        this.socketPath = socketPath;
        listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public void Dispose() => listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = PassAsync(await listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private async Task PassAsync(TcpClient client)
    {
        using (client)
        using (var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            await server.ConnectAsync(new UnixDomainSocketEndPoint(socketPath));
            await using var real = new NetworkStream(server);
            await Task.WhenAny(client.GetStream().CopyToAsync(real), AnswerAsync(real, client.GetStream()));
        }
    }

    private static async Task AnswerAsync(Stream real, Stream client)
    {
        byte[] buffer = new byte[1 << 16];
        while (await real.ReadAsync(buffer) is > 0 and var read)
        {
            int version = buffer.AsSpan(0, read).IndexOf("server_version\0"u8);
            if (version >= 0)
            {
                "12"u8.CopyTo(buffer.AsSpan(version + "server_version\0".Length));
            }

            await client.WriteAsync(buffer.AsMemory(0, read));
        }
    }
}
