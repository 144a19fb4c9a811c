using System.Security.Claims;
using ElectraPipeline.Storage.Accounts;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ElectraPipeline.Dashboard.Security;

/// <summary>
/// Who a request belongs to, and the one policy every page but the login stands under; <see cref="OperatorCheck"/> guards the POSTs.
/// </summary>
internal static class Access
{
    /// <summary>The policy: a person at this machine, or somebody who logged in.</summary>
    public const string Policy = "electra";

    /// <summary>
    /// The role that may change things. People at this machine have it where nobody logs in, and bearers of the access token.
    /// </summary>
    public const string Operator = "operator";

    /// <summary>Authentication type of requests from this machine.</summary>
    public const string LocalScheme = "local";

    /// <summary>Authentication type of requests with the token in their header; browsers never send it on their own.</summary>
    public const string BearerScheme = "bearer";

    private const string SelectorScheme = "electra";
    private const string HeaderScheme = "electra-header";
    private const string MarkClaim = "electra:mark";

    public static void AddTo(IServiceCollection services, DashboardOptions options)
    {
        services
            .AddAuthentication(SelectorScheme)
            .AddPolicyScheme(SelectorScheme, null, scheme => scheme.ForwardDefaultSelector = context => SchemeFor(context, options))
            .AddScheme<AuthenticationSchemeOptions, AccessHandler>(HeaderScheme, null)
            .AddCookie(CookieAuthenticationDefaults.AuthenticationScheme, cookie => Harden(cookie, options));

        AuthorizationPolicy policy = new AuthorizationPolicyBuilder(SelectorScheme).RequireAuthenticatedUser().Build();
        services.AddAuthorizationBuilder().AddPolicy(Policy, policy).SetFallbackPolicy(policy);
    }

    /// <summary>Gives the visitor a cookie.</summary>
    /// <param name="context">The request.</param>
    /// <param name="user">Name that actions are recorded under.</param>
    /// <param name="role">"viewer" or "operator".</param>
    /// <param name="mark">What the cookie is refused by once token, password or role have changed.</param>
    public static async Task SignInAsync(HttpContext context, string user, string role, string mark)
    {
        var identity = new ClaimsIdentity(
            [new Claim(ClaimTypes.Name, user), new Claim(ClaimTypes.Role, role), new Claim(MarkClaim, mark)],
            CookieAuthenticationDefaults.AuthenticationScheme
        );
        await context.SignInAsync(CookieAuthenticationDefaults.AuthenticationScheme, new ClaimsPrincipal(identity));
    }

    /// <summary>The name that actions are recorded under: "user:NAME".</summary>
    public static string Actor(HttpContext context) => $"user:{context.User.Identity?.Name ?? "unknown"}";

    private static string SchemeFor(HttpContext context, DashboardOptions options) =>
        options.RequiresLogin && !context.Request.Headers.ContainsKey("Authorization")
            ? CookieAuthenticationDefaults.AuthenticationScheme
            : HeaderScheme;

    private static void Harden(CookieAuthenticationOptions cookie, DashboardOptions options)
    {
        cookie.Cookie.Name = "electra";
        cookie.Cookie.HttpOnly = true;
        cookie.Cookie.SameSite = SameSiteMode.Lax; // Strict would ask for the token again after every link in a mail or chat.
        cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        cookie.ExpireTimeSpan = TimeSpan.FromDays(14);
        cookie.LoginPath = "/login";
        cookie.ReturnUrlParameter = "returnUrl";
        cookie.Events.OnRedirectToLogin = context =>
        {
            if (context.Request.Path.StartsWithSegments("/api"))
            {
                return context.HttpContext.ChallengeAsync(HeaderScheme);
            }

            context.Response.Redirect(context.RedirectUri);
            return Task.CompletedTask;
        };
        cookie.Events.OnRedirectToAccessDenied = context =>
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return Task.CompletedTask;
        };
        string? tokenMark = options.HasToken ? new AccessToken(options.AccessToken!).Mark : null;
        cookie.Events.OnValidatePrincipal = async context =>
        {
            string? mark = context.Principal?.FindFirstValue(MarkClaim);
            if (mark is null || (mark != tokenMark && !await IsOfAccountAsync(context.HttpContext, context.Principal!, mark)))
            {
                context.RejectPrincipal();
            }
        };
    }

    private static async Task<bool> IsOfAccountAsync(HttpContext context, ClaimsPrincipal user, string mark)
    {
        var accounts = context.RequestServices.GetRequiredService<AccountStore>();
        return user.Identity?.Name is { } name
            && await accounts.FindAsync(name, context.RequestAborted) is { } account
            && Passwords.Mark(account) == mark;
    }
}
