using System.Security.Cryptography;
using ElectraPipeline.Training;

namespace ElectraPipeline.Jobs.Stages;

/// <summary>Files outside the artifact store that a config names: their bytes, not their names, go into fingerprints.</summary>
internal static class ExternalFile
{
    /// <summary>SHA-256 over the names and bytes of all files of a folder, lower-case hex.</summary>
    /// <exception cref="PermanentException">It is missing; <paramref name="field"/> says which field of the config names it.</exception>
    public static string DigestOfFolder(string path, string field)
    {
        if (!Directory.Exists(path))
        {
            throw new PermanentException($"{path}: no such folder; the config's {field} names it. Put it there or change {field}, then retry.");
        }

        string[] files = [.. Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        return CanonicalJson.Digest(files.SelectMany(file => new[] { Path.GetRelativePath(path, file), Digest(file, field) }));
    }

    /// <summary>SHA-256 of a file, lower-case hex.</summary>
    /// <exception cref="PermanentException">It is missing; <paramref name="field"/> says which field of the config names it.</exception>
    public static string Digest(string path, string field)
    {
        if (!File.Exists(path))
        {
            throw new PermanentException($"{path}: no such file; the config's {field} names it. Put it there or change {field}, then retry.");
        }

        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
