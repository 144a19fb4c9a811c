using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ElectraPipeline.Dashboard.Security;

/// <summary>Answers for requests without a login cookie: by bearer token where one is configured, else by being local.</summary>
internal sealed class AccessHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    DashboardOptions dashboard,
    LoginThrottle throttle,
    LoginRefusals refusals
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    private const string BearerPrefix = "Bearer ";
    private const string ApiUser = "api";

    private readonly AccessToken? _token = dashboard.HasToken ? new AccessToken(dashboard.AccessToken!) : null;

    private bool _isThrottled;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!dashboard.RequiresLogin)
        {
            string? refusal = LocalAccess.Refusal(Context);
            return refusal is null ? Success("local", Access.LocalScheme) : AuthenticateResult.Fail(refusal);
        }

        string authorization = Request.Headers.Authorization.ToString();
        if (!authorization.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase))
        {
            return AuthenticateResult.NoResult();
        }

        var login = new LoginTry(Context.Connection.RemoteIpAddress, Account: null);
        _isThrottled = !throttle.TryBegin(login);
        if (_isThrottled || _token?.Matches(authorization[BearerPrefix.Length..].Trim()) != true)
        {
            await refusals.RecordAsync(_isThrottled ? LoginRefusals.Throttled : LoginRefusals.Wrong, ApiUser, login.Address);
            return AuthenticateResult.Fail(_isThrottled ? "Too many attempts." : "The access token is wrong.");
        }

        throttle.Succeeded(login);
        return Success(ApiUser, Access.BearerScheme);
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        string? refusal = !dashboard.RequiresLogin ? LocalAccess.Refusal(Context) : null;
        Response.StatusCode =
            _isThrottled ? StatusCodes.Status429TooManyRequests
            : refusal is null ? StatusCodes.Status401Unauthorized
            : StatusCodes.Status403Forbidden;
        if (refusal is null)
        {
            Response.Headers.WWWAuthenticate = "Bearer";
        }

        Response.ContentType = "text/plain; charset=utf-8";
        await Response.WriteAsync(
            refusal ?? (_isThrottled ? "Too many attempts; wait a minute." : "A login or the access token is needed.")
        );
    }

    private AuthenticateResult Success(string user, string type)
    {
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, user), new Claim(ClaimTypes.Role, Access.Operator)], type);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name));
    }
}
