using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ElectraPipeline.Dashboard.Tests;

/// <summary>
/// A small reverse proxy that ends TLS, as nginx would in front of the dashboard: it passes each request on from an address of its own
/// and says in X-Forwarded-For and X-Forwarded-Proto who asked it and how.
/// </summary>
internal sealed class ReverseProxy : IAsyncDisposable
{
    private static readonly string[] OfTheConnection = ["Host", "Connection", "Transfer-Encoding", "Content-Length"];

    private readonly WebApplication application;
    private readonly HttpClient upstream;

    private ReverseProxy(WebApplication application, HttpClient upstream) => (this.application, this.upstream) = (application, upstream);

    private Uri Address { get; set; } = null!;

    /// <summary>Starts it on a free port of 127.0.0.1.</summary>
    /// <param name="target">The dashboard.</param>
    /// <param name="ownAddress">Where its connections to the dashboard come from: any address of 127.0.0.0/8.</param>
    public static async Task<ReverseProxy> StartAsync(Uri target, string ownAddress)
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(SelfSigned())));
        var proxy = new ReverseProxy(builder.Build(), From(ownAddress, target));
        proxy.application.Run(proxy.PassAsync);
        await proxy.application.StartAsync();
        proxy.Address = new Uri(
            proxy.application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()
        );
        return proxy;
    }

    /// <summary>A visitor at another address who keeps no cookies; answers show what a browser would be told.</summary>
    public HttpClient VisitorFrom(string address) => From(address, Address);

    public async ValueTask DisposeAsync()
    {
        await application.DisposeAsync();
        upstream.Dispose();
    }

    /// <summary>A visitor of <paramref name="target"/> whose connections come from an address of 127.0.0.0/8.</summary>
    public static HttpClient From(string ownAddress, Uri target, bool keepsCookies = false)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = keepsCookies,
            ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Parse(ownAddress), 0));
                await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true; // its own, made a moment ago
        return new HttpClient(handler) { BaseAddress = target };
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    private async Task PassAsync(HttpContext context)
    {
        using var request = new HttpRequestMessage(
            new HttpMethod(context.Request.Method),
            context.Request.Path + context.Request.QueryString
        );
        if (context.Request.ContentLength > 0)
        {
            request.Content = new StreamContent(context.Request.Body);
        }

        foreach (var (name, values) in context.Request.Headers.Where(header => !OfTheConnection.Contains(header.Key)))
        {
            if (!request.Headers.TryAddWithoutValidation(name, values.AsEnumerable()))
            {
                request.Content?.Headers.TryAddWithoutValidation(name, values.AsEnumerable());
            }
        }

        request.Headers.Host = context.Request.Host.Value;
        request.Headers.Add("X-Forwarded-For", context.Connection.RemoteIpAddress!.ToString());
        request.Headers.Add("X-Forwarded-Proto", context.Request.Scheme);
        using HttpResponseMessage answer = await upstream.SendAsync(request);
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers).Where(header => !OfTheConnection.Contains(header.Key)))
        {
            context.Response.Headers[name] = values.ToArray();
        }

        await answer.Content.CopyToAsync(context.Response.Body);
    }
}
