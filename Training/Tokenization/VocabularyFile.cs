using System.Text;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>The lines of a vocab.txt before they are known to be a vocabulary.</summary>
internal static class VocabularyFile
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The tokens of a file, in order. Only line feeds end lines: U+2028 and its like are tokens of real vocabularies.</summary>
    /// <exception cref="PermanentException">The file is missing, not UTF-8 or has an empty line.</exception>
    public static IReadOnlyList<string> Read(string path) => Parse(ReadBytes(path), path);

    public static byte[] ReadBytes(string path, string? sha256 = null)
    {
        try
        {
            return CheckedFile.ReadAllBytes(path, sha256);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PermanentException($"vocabulary file not found: {path}; give the path of a vocab.txt (one token a line)", e);
        }
    }

    public static IReadOnlyList<string> Parse(ReadOnlySpan<byte> bytes, string path)
    {
        bytes = bytes.StartsWith(Encoding.UTF8.Preamble) ? bytes[3..] : bytes;
        var tokens = new List<string>();
        while (bytes.Length > 0)
        {
            int end = bytes.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? bytes : bytes[..end];
            bytes = bytes[(end < 0 ? bytes.Length : end + 1)..];
            tokens.Add(Decode(line.TrimEnd((byte)'\r'), tokens.Count + 1, path));
        }

        return tokens.Count > 0 ? tokens : throw new PermanentException($"{path} is empty; a vocab.txt holds one token a line");
    }

    private static string Decode(ReadOnlySpan<byte> line, int number, string path)
    {
        if (line.Trim(" \t"u8).IsEmpty)
        {
            throw new PermanentException($"{path}, line {number} is empty; ids are line numbers, so put a token there or remove the line");
        }

        try
        {
            return Strict.GetString(line);
        }
        catch (DecoderFallbackException e)
        {
            throw new PermanentException(
                $"{path}, line {number}: not UTF-8 (bytes {Convert.ToHexString(line)}); save the file as UTF-8",
                e
            );
        }
    }
}
