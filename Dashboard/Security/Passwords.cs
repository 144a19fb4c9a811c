using System.Security.Cryptography;
using System.Text;
using ElectraPipeline.Storage.Accounts;
using Microsoft.AspNetCore.Identity;

namespace ElectraPipeline.Dashboard.Security;

/// <summary>Hashes of passwords: ASP.NET Core Identity's, PBKDF2 with a salt of its own each.</summary>
public static class Passwords
{
    /// <summary>Shortest password that is accepted, in characters.</summary>
    public const int Shortest = 12;

    private static readonly PasswordHasher<string> Hasher = new();

    // Checked where there is no account of that name, so that the time of an answer does not tell which names exist.
    private static readonly string Decoy = Hasher.HashPassword("", Convert.ToHexString(RandomNumberGenerator.GetBytes(16)));

    /// <summary>The hash to store.</summary>
    public static string Hash(string password) => Hasher.HashPassword("", Trimmed(password));

    /// <summary>A password as it counts: without the spaces around it that are pasted along.</summary>
    public static string Trimmed(string password) => password.Trim();

    /// <summary>Whether the password is the account's; with no account it takes as long and is false.</summary>
    internal static bool Matches(Account? account, string password) =>
        Hasher.VerifyHashedPassword("", account?.PasswordHash ?? Decoy, Trimmed(password)) != PasswordVerificationResult.Failed
        && account is not null;

    /// <summary>
    /// Names an account's password without giving it away: a cookie made under another password or role is refused by it.
    /// </summary>
    internal static string Mark(Account account) =>
        Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{account.Role}:{account.PasswordHash}")))[..16];
}
