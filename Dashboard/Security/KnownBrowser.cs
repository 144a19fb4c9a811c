using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;

namespace ElectraPipeline.Dashboard.Security;

/// <summary>
/// Recognizes a browser that logged in to an account before, by a signed cookie. It lets nobody in: it only gives the browser tries of
/// its own where others use up those of all.
/// </summary>
internal sealed class KnownBrowser(IDataProtectionProvider protection)
{
    /// <summary>Name of the cookie.</summary>
    public const string CookieName = "electra.known";

    private const int IdBytes = 16;
    private static readonly TimeSpan Remembered = TimeSpan.FromDays(180);
    private readonly ITimeLimitedDataProtector protector = protection.CreateProtector("electra.known-browser").ToTimeLimitedDataProtector();

    /// <summary>An id of the browser; null: it never logged in to this account, or too long ago.</summary>
    public string? Of(HttpContext context, string account)
    {
        if (context.Request.Cookies[CookieName] is not { Length: > 0 } cookie)
        {
            return null;
        }

        try
        {
            string[] parts = protector.Unprotect(cookie).Split('\n', 2);
            return parts.Length == 2 && parts[1] == account ? parts[0] : null;
        }
        catch (CryptographicException)
        {
            return null; // Made up, expired, or signed with keys that are gone.
        }
    }

    /// <summary>Gives the browser the cookie; it has just logged in to the account.</summary>
    public void Remember(HttpContext context, string account)
    {
        string id = Of(context, account) ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes));
        context.Response.Cookies.Append(
            CookieName,
            protector.Protect($"{id}\n{account}", Remembered),
            new CookieOptions
            {
                HttpOnly = true,
                SameSite = SameSiteMode.Strict,
                Secure = context.Request.IsHttps,
                MaxAge = Remembered,
                Path = "/login",
                IsEssential = true,
            }
        );
    }
}
