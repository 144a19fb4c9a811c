using ElectraPipeline.Dashboard.Pages;
using ElectraPipeline.Storage.Accounts;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace ElectraPipeline.Dashboard.Security;

/// <summary>Exchanges a password, or the access token, for a cookie. Mapped only where people log in.</summary>
internal static class LoginEndpoints
{
    private const int LongestName = 40;

    public static void MapLogin(this IEndpointRouteBuilder routes, AccessToken? token)
    {
        routes.MapGet("/login", (string? returnUrl) => Page(returnUrl)).AllowAnonymous();
        routes
            .MapPost(
                "/login",
                (HttpContext context, [FromForm] LoginForm form, LoginServices services) => LoginAsync(context, form, token, services)
            )
            .DisableAntiforgery()
            .AddEndpointFilter<AntiforgeryCheck>()
            .AllowAnonymous();
        routes.MapPost("/logout", LogoutAsync).RequireAuthorization(Access.Policy).AddEndpointFilter<AntiforgeryCheck>();
    }

    private static async Task<IResult> LogoutAsync(HttpContext context, AuditLog audit)
    {
        await audit.RecordAsync(
            Access.Actor(context),
            "logout",
            LoginRefusals.From(context.Connection.RemoteIpAddress),
            CancellationToken.None
        );
        await context.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        return Results.Redirect("/login");
    }

    private static async Task<IResult> LoginAsync(HttpContext context, LoginForm form, AccessToken? token, LoginServices services)
    {
        string name = DisplayName(form.Name);
        var login = new LoginTry(context.Connection.RemoteIpAddress, name, services.Browsers.Of(context, name));
        if (!services.Throttle.TryBegin(login))
        {
            await services.Refusals.RecordAsync(LoginRefusals.Throttled, name, login.Address);
            context.Response.Headers.RetryAfter = "60";
            return Page(form.ReturnUrl, "Too many attempts; wait a minute.", StatusCodes.Status429TooManyRequests);
        }

        string secret = form.Secret?.Trim() ?? "";
        Account? account = await services.Accounts.FindAsync(name, context.RequestAborted);
        if (Passwords.Matches(account, secret))
        {
            await Access.SignInAsync(context, account!.Name, account.Role, Passwords.Mark(account));
        }
        else if (account is null && token?.Matches(secret) == true)
        {
            await Access.SignInAsync(context, name, Access.Operator, token.Mark);
        }
        else
        {
            await services.Refusals.RecordAsync(LoginRefusals.Wrong, name, login.Address);
            return Page(form.ReturnUrl, "Name, password or access token is wrong.", StatusCodes.Status401Unauthorized);
        }

        services.Throttle.Succeeded(login);
        services.Browsers.Remember(context, name);
        await services.Audit.RecordAsync($"user:{name}", "login", LoginRefusals.From(login.Address), CancellationToken.None);
        return Results.LocalRedirect(LocalUrl(form.ReturnUrl));
    }

    private static RazorComponentResult<LoginPage> Page(string? returnUrl, string? error = null, int status = StatusCodes.Status200OK) =>
        new(new { ReturnUrl = LocalUrl(returnUrl), Error = error }) { StatusCode = status };

    /// <summary>An address of this site, so that a login link cannot send the visitor elsewhere.</summary>
    private static string LocalUrl(string? url) => RedirectHttpResult.IsLocalUrl(url) ? url! : "/runs";

    private static string DisplayName(string? name)
    {
        string printable = string.Concat((name ?? "").Where(letter => !char.IsControl(letter))).Trim();
        return printable.Length == 0 ? "someone" : printable[..Math.Min(printable.Length, LongestName)];
    }

    private sealed record LoginForm(string? Secret, string? Name, string? ReturnUrl);
}
