using System.Security.Cryptography;
using System.Text;

namespace ElectraPipeline.Training;

/// <summary>Digests of lists of texts.</summary>
public static class TextDigest
{
    /// <summary>SHA-256 of texts, each with its length before it so that no two lists are alike, lower-case hex.</summary>
    public static string Of(IEnumerable<string> texts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string text in texts)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            hash.AppendData(BitConverter.GetBytes(bytes.LongLength));
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
