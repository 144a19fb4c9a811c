using System.Security.Cryptography;
using System.Text;

namespace ElectraPipeline.Dashboard.Security;

/// <summary>The configured secret. Only digests are compared and kept in cookies.</summary>
internal sealed class AccessToken(string secret)
{
    private readonly byte[] _digest = Digest(secret);

    /// <summary>Names the token without giving it away; a cookie made under another token is refused by it.</summary>
    public string Mark { get; } = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes("mark:" + secret)))[..16];

    /// <summary>Compares in time that depends neither on the first difference nor on the length.</summary>
    public bool Matches(string? candidate) => candidate is not null && CryptographicOperations.FixedTimeEquals(_digest, Digest(candidate));

    private static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
