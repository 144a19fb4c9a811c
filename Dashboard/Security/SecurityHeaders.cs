using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ElectraPipeline.Dashboard.Security;

/// <summary>Headers that tell a browser what the pages may load, who may frame them, and not to keep them.</summary>
internal static class SecurityHeaders
{
    private const string OwnPages =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        + "base-uri 'none'; frame-ancestors 'none'";

    // What Hangfire's pages style inline, and nothing else: empty style attributes, and the sheet that its Chart.js adds to the head.
    // Browsers name the hash of whatever another version of the package needs.
    private const string EmptyAttribute = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='";
    private const string ChartSheet = "'sha256-z7zcnw/4WalZqx+PrNaRnoeLz/G9WXuFqV1WCJ129sg='";

    private const string HangfirePages =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-hashes' "
        + EmptyAttribute
        + " "
        + ChartSheet
        + "; img-src 'self' data:; "
        + "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    public static void UseSecurityHeaders(this WebApplication application) =>
        application.Use(
            (context, next) =>
            {
                // Chosen now, because Hangfire moves its prefix out of the path; set at the start of the response, because an error page
                // clears what was set before.
                string policy = context.Request.Path.StartsWithSegments("/hangfire") ? HangfirePages : OwnPages;
                context.Response.OnStarting(() => ApplyAsync(context.Response.Headers, policy));
                return next(context);
            }
        );

    private static Task ApplyAsync(IHeaderDictionary headers, string policy)
    {
        headers.ContentSecurityPolicy = policy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()";
        if (headers.CacheControl.Count == 0)
        {
            headers.CacheControl = "no-store";
        }

        return Task.CompletedTask;
    }
}
