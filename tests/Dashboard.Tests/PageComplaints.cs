using Microsoft.Playwright;

namespace ElectraPipeline.Dashboard.Tests;

/// <summary>What a browser has to say about the pages it is shown.</summary>
internal static class PageComplaints
{
    /// <summary>
    /// Collects errors and warnings of the console (a breach of the content security policy is one) and uncaught exceptions.
    /// </summary>
    public static List<string> Complaints(this IPage page)
    {
        var complaints = new List<string>();
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                complaints.Add($"{page.Url}: {message.Text}");
            }
        };
        page.PageError += (_, error) => complaints.Add($"{page.Url}: {error}");
        return complaints;
    }
}
