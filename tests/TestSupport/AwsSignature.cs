using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ElectraPipeline.TestSupport;

/// <summary>Checks a request's signature of version 4, computed anew from what arrived.</summary>
internal static class AwsSignature
{
    public static bool IsValid(HttpRequest request, byte[] body, string accessKey, string secret)
    {
        const string Scheme = "AWS4-HMAC-SHA256 ";
        string authorization = request.Headers.Authorization.ToString();
        if (!authorization.StartsWith(Scheme, StringComparison.Ordinal))
        {
            return false;
        }

        var fields = authorization[Scheme.Length..]
            .Split(',')
            .Select(field => field.Trim().Split('=', 2))
            .ToDictionary(field => field[0], field => field[1]);
        string[] credential = fields["Credential"].Split('/', 2);
        string announced = request.Headers["x-amz-content-sha256"].ToString();
        return credential[0] == accessKey
            && announced == Hex(SHA256.HashData(body))
            && fields["Signature"] == Sign(request, fields["SignedHeaders"], credential[1], announced, secret);
    }

    private static string Sign(HttpRequest request, string signedHeaders, string scope, string payload, string secret)
    {
        string[] target = request.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?', 2);
        string query =
            target.Length < 2
                ? ""
                : string.Join(
                    '&',
                    target[1].Split('&').Select(part => part.Contains('=') ? part : part + "=").Order(StringComparer.Ordinal)
                );
        string headers = string.Concat(signedHeaders.Split(';').Select(name => $"{name}:{request.Headers[name].ToString().Trim()}\n"));
        string canonical = $"{request.Method}\n{target[0]}\n{query}\n{headers}\n{signedHeaders}\n{payload}";
        string text =
            $"AWS4-HMAC-SHA256\n{request.Headers["x-amz-date"]}\n{scope}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        byte[] key = scope
            .Split('/')
            .Aggregate(
                Encoding.UTF8.GetBytes("AWS4" + secret),
                (derived, part) => HMACSHA256.HashData(derived, Encoding.UTF8.GetBytes(part))
            );
        return Hex(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
    }

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
