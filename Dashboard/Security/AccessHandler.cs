using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ElectraPipeline.Dashboard.Security;

/// <summary>Answers for requests without a login cookie: by bearer token where one is configured, else by being local.</summary>
internal sealed class AccessHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, DashboardOptions dashboard, LoginThrottle throttle)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    private const string BearerPrefix = "Bearer ";

    private readonly AccessToken? _token = dashboard.HasToken ? new AccessToken(dashboard.AccessToken!) : null;

    private bool _isThrottled;

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

        IPAddress? address = Context.Connection.RemoteIpAddress;
        _isThrottled = !throttle.TryBegin(address, account: null);
        if (_isThrottled || _token?.Matches(authorization[BearerPrefix.Length..].Trim()) != true)
        {
            return Task.FromResult(AuthenticateResult.Fail(_isThrottled ? "Too many attempts." : "The access token is wrong."));
        }

        throttle.Succeeded(address, account: null);
        return Task.FromResult(Success("api", Access.BearerScheme));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        string? refusal = !dashboard.RequiresLogin ? LocalAccess.Refusal(Context) : null;
        Response.StatusCode = _isThrottled ? StatusCodes.Status429TooManyRequests
            : refusal is null ? StatusCodes.Status401Unauthorized : StatusCodes.Status403Forbidden;
        if (refusal is null)
        {
            Response.Headers.WWWAuthenticate = "Bearer";
        }

        Response.ContentType = "text/plain; charset=utf-8";
        await Response.WriteAsync(refusal ?? (_isThrottled ? "Too many attempts; wait a minute." : "A login or the access token is needed."));
    }

    private AuthenticateResult Success(string user, string type)
    {
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, user), new Claim(ClaimTypes.Role, Access.Operator)], type);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name));
    }
}
