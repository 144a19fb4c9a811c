using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ElectraPipeline.Dashboard.Security;

/// <summary>Who a request belongs to, and the one policy every page but the login stands under.</summary>
internal static class Access
{
    /// <summary>The policy: a person at this machine, or a bearer of the access token.</summary>
    public const string Policy = "electra";

    /// <summary>Authentication type of requests from this machine.</summary>
    public const string LocalScheme = "local";

    /// <summary>Authentication type of requests with the token in their header; browsers never send it on their own.</summary>
    public const string BearerScheme = "bearer";

    private const string SelectorScheme = "electra";
    private const string HeaderScheme = "electra-header";
    private const string TokenMark = "electra:token";

    public static void AddTo(IServiceCollection services, DashboardOptions options)
    {
        services.AddAuthentication(SelectorScheme)
            .AddPolicyScheme(SelectorScheme, null, scheme => scheme.ForwardDefaultSelector = context => SchemeFor(context, options))
            .AddScheme<AuthenticationSchemeOptions, AccessHandler>(HeaderScheme, null)
            .AddCookie(CookieAuthenticationDefaults.AuthenticationScheme, cookie => Harden(cookie, options));

        AuthorizationPolicy policy = new AuthorizationPolicyBuilder(SelectorScheme).RequireAuthenticatedUser().Build();
        services.AddAuthorizationBuilder().AddPolicy(Policy, policy).SetFallbackPolicy(policy);
    }

    public static async Task SignInAsync(HttpContext context, AccessToken token, string user)
    {
        var identity = new ClaimsIdentity(
            [new Claim(ClaimTypes.Name, user), new Claim(TokenMark, token.Mark)], CookieAuthenticationDefaults.AuthenticationScheme);
        await context.SignInAsync(CookieAuthenticationDefaults.AuthenticationScheme, new ClaimsPrincipal(identity));
    }

    /// <summary>The name that actions are recorded under: "user:NAME".</summary>
    public static string Actor(HttpContext context) => $"user:{context.User.Identity?.Name ?? "unknown"}";

    private static string SchemeFor(HttpContext context, DashboardOptions options) =>
        options.RequiresToken && !context.Request.Headers.ContainsKey("Authorization")
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
        string? mark = options.RequiresToken ? new AccessToken(options.AccessToken!).Mark : null;
        cookie.Events.OnValidatePrincipal = context =>
        {
            if (context.Principal?.FindFirstValue(TokenMark) != mark)
            {
                context.RejectPrincipal();
            }

            return Task.CompletedTask;
        };
    }
}
