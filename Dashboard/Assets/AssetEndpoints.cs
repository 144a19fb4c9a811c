using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace ElectraPipeline.Dashboard.Assets;

/// <summary>The style sheet, the script and the icon, embedded in the assembly so that a published app needs no extra folder.</summary>
internal static class AssetEndpoints
{
    private static readonly Dictionary<string, Asset> _assets = new[]
    {
        Load("dashboard.css", "text/css; charset=utf-8"),
        Load("dashboard.js", "text/javascript; charset=utf-8"),
        Load("icon.svg", "image/svg+xml"),
    }.ToDictionary(asset => asset.Name);

    /// <summary>The address of an asset, with a digest so that browsers may keep it for ever.</summary>
    public static string Url(string name) => $"/assets/{name}?v={_assets[name].Digest}";

    public static void MapAssets(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(
                "/assets/{name}",
                (string name, HttpContext context) =>
                {
                    if (!_assets.TryGetValue(name, out Asset? asset))
                    {
                        return Results.NotFound();
                    }

                    context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
                    return Results.Bytes(asset.Bytes, asset.ContentType, entityTag: new EntityTagHeaderValue($"\"{asset.Digest}\""));
                }
            )
            .AllowAnonymous();

    private static Asset Load(string name, string contentType)
    {
        using Stream stream =
            typeof(AssetEndpoints).Assembly.GetManifestResourceStream("assets/" + name)
            ?? throw new InvalidOperationException($"{name} is not embedded in the assembly");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return new Asset(name, contentType, bytes, Convert.ToHexStringLower(SHA256.HashData(bytes))[..12]);
    }

    private sealed record Asset(string Name, string ContentType, byte[] Bytes, string Digest);
}
