using Microsoft.Playwright;
using Xunit;

namespace ElectraPipeline.TestSupport;

/// <summary>A headless Chromium, the one of the system. Missing: the test fails where CI=true, else it is skipped with a message.</summary>
public sealed class Browser : IAsyncDisposable
{
    private static readonly string[] Programs = ["chromium", "chromium-browser", "google-chrome"];
    private readonly IPlaywright playwright;
    private readonly IBrowser browser;

    private Browser(IPlaywright playwright, IBrowser browser)
    {
        this.playwright = playwright;
        this.browser = browser;
    }

    /// <summary>Starts the browser.</summary>
    public static async Task<Browser> StartAsync()
    {
        if (Find() is not { } program)
        {
            const string Message = "no Chromium on PATH (Debian package chromium)";
            Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") != "true", Message);
            throw new FileNotFoundException(Message);
        }

        IPlaywright playwright = await Playwright.CreateAsync();
        try
        {
            // Chromium's own sandbox needs namespaces that containers and root do not have; it visits loopback alone.
            return new Browser(
                playwright,
                await playwright.Chromium.LaunchAsync(new() { ExecutablePath = program, Args = ["--no-sandbox"] })
            );
        }
        catch
        {
            playwright.Dispose();
            throw;
        }
    }

    /// <summary>Opens an empty page of a size in CSS pixels.</summary>
    public async Task<IPage> NewPageAsync(int width, int height) =>
        await browser.NewPageAsync(
            new()
            {
                ViewportSize = new() { Width = width, Height = height },
            }
        );

    public async ValueTask DisposeAsync()
    {
        await browser.DisposeAsync();
        playwright.Dispose();
    }

    private static string? Find() =>
        (
            from name in Programs
            from folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            let path = Path.Combine(folder, name)
            where File.Exists(path)
            select path
        ).FirstOrDefault();
}
