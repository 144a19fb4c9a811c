using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ElectraPipeline.Dashboard.Security;

/// <summary>Answers for requests without a login cookie: by bearer token where one is configured, else by being local.</summary>
internal sealed class AccessHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, DashboardOptions dashboard)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    private const string BearerPrefix = "Bearer ";

    private readonly AccessToken? _token = dashboard.HasToken ? new AccessToken(dashboard.AccessToken!) : null;

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!dashboard.RequiresLogin)
        {
            string? refusal = LocalAccess.Refusal(Context);
            return Task.FromResult(refusal is null ? Success("local", Access.LocalScheme) : AuthenticateResult.Fail(refusal));
        }

        string authorization = Request.Headers.Authorization.ToString();
        if (!authorization.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase))
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        return Task.FromResult(_token?.Matches(authorization[BearerPrefix.Length..].Trim()) == true
            ? Success("api", Access.BearerScheme)
            : AuthenticateResult.Fail("The access token is wrong."));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        string? refusal = !dashboard.RequiresLogin ? LocalAccess.Refusal(Context) : null;
        Response.StatusCode = refusal is null ? StatusCodes.Status401Unauthorized : StatusCodes.Status403Forbidden;
        if (refusal is null)
        {
            Response.Headers.WWWAuthenticate = "Bearer";
        }

        Response.ContentType = "text/plain; charset=utf-8";
        await Response.WriteAsync(refusal ?? "A login or the access token is needed.");
    }

    private AuthenticateResult Success(string user, string type)
    {
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, user), new Claim(ClaimTypes.Role, Access.Operator)], type);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name));
    }
}
