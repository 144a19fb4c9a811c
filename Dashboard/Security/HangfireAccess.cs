using Hangfire.Dashboard;

namespace ElectraPipeline.Dashboard.Security;

/// <summary>Lets Hangfire's pages be seen by exactly those whom our own policy lets in.</summary>
/// <remarks>Replaces Hangfire's default filter, which trusts the socket address and so lets everyone in behind a local proxy.</remarks>
internal sealed class HangfireAccess : IDashboardAuthorizationFilter
{
    public bool Authorize(DashboardContext context) => context.GetHttpContext().User.Identity?.IsAuthenticated == true;

    /// <summary>Whether Hangfire shows no buttons and takes no commands.</summary>
    public static bool IsReadOnly(DashboardContext context) => !context.GetHttpContext().User.IsInRole(Access.Operator);
}
