using ElectraPipeline.Storage.Accounts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ElectraPipeline.Dashboard.Security;

/// <summary>Records the commands that are given on Hangfire's pages, which know nothing of our events.</summary>
internal static class HangfireAudit
{
    private const string JobsField = "jobs[]";
    private const int JobsNamed = 20;

    public static void UseHangfireAudit(this WebApplication application) =>
        application.Use(
            async (context, next) =>
            {
                // Taken now, because Hangfire moves its prefix out of the path. The numbers on its overview are asked for by POST too.
                PathString path = context.Request.Path;
                bool isCommand =
                    HttpMethods.IsPost(context.Request.Method)
                    && path.StartsWithSegments("/hangfire", out PathString command)
                    && command != "/stats";
                await next(context);
                if (isCommand && context.Response.StatusCode < StatusCodes.Status400BadRequest)
                {
                    var audit = context.RequestServices.GetRequiredService<AuditLog>();
                    string detail = path + await JobsAsync(context.Request);
                    await audit.RecordAsync(Access.Actor(context), "hangfire", detail, CancellationToken.None);
                }
            }
        );

    private static async Task<string> JobsAsync(HttpRequest request)
    {
        if (!request.HasFormContentType)
        {
            return "";
        }

        string[] jobs = [.. (await request.ReadFormAsync())[JobsField].OfType<string>()];
        string more = jobs.Length > JobsNamed ? $" and {jobs.Length - JobsNamed} more" : "";
        return jobs.Length == 0 ? "" : $" {string.Join(", ", jobs.Take(JobsNamed))}{more}";
    }
}
