using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.Dashboard.Tests;

/// <summary>What every answer tells the browser.</summary>
public sealed class HeaderTests(PostgresFixture postgres)
{
    [Theory]
    [InlineData("/runs", "style-src 'self';")]
    [InlineData("/nowhere", "style-src 'self';")]
    [InlineData("/runs/99999999999999999999999", "style-src 'self';")]
    [InlineData("/runs?before=x", "style-src 'self';")]
    [InlineData("/api/runs", "style-src 'self';")]
    [InlineData("/health", "style-src 'self';")]
    [InlineData("/hangfire", "style-src 'self' 'unsafe-hashes' 'sha256-")]
    [InlineData("/assets/dashboard.css", "style-src 'self';")]
    public async Task Every_answer_carries_every_header(string path, string styles)
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres);
        HttpResponseMessage answer = await dashboard.Visitor.GetAsync(path);
        string Only(string name) => Assert.Single(answer.Headers.GetValues(name));

        string policy = Only("Content-Security-Policy");
        string[] parts =
        [
            "default-src 'none';",
            "script-src 'self';",
            styles,
            "form-action 'self';",
            "base-uri 'none';",
            "frame-ancestors 'none'",
        ];
        Assert.All(parts, part => Assert.Contains(part, policy));

        Assert.DoesNotContain("unsafe-inline", policy);
        Assert.DoesNotContain("unsafe-eval", policy);
        Assert.Equal("nosniff", Only("X-Content-Type-Options"));
        Assert.Equal("DENY", Only("X-Frame-Options"));
        Assert.Equal("same-origin", Only("Referrer-Policy"));
        Assert.Equal("same-origin", Only("Cross-Origin-Opener-Policy"));
        Assert.Equal("camera=(), microphone=(), geolocation=()", Only("Permissions-Policy"));
        Assert.Equal(
            path.StartsWith("/assets", StringComparison.Ordinal) ? "public, max-age=31536000, immutable" : "no-store",
            Cache(answer, path)
        );
        Assert.False(answer.Headers.Contains("Server"));
        Assert.False(answer.Headers.Contains("X-Powered-By"));
    }

    // Hangfire says itself how long its pages hold; it may say more, never less.
    private static string Cache(HttpResponseMessage answer, string path)
    {
        string said = string.Join(", ", answer.Headers.GetValues("Cache-Control"));
        return path == "/hangfire" && said.Contains("no-store", StringComparison.Ordinal) ? "no-store" : said;
    }
}
