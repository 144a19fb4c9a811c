using ZstdSharp;
using ZstdSharp.Unsafe;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>The compressions that any source file may be in, told by magic bytes, never by the name.</summary>
internal static class Decompression
{
    /// <summary>Bytes of a file's beginning that tell.</summary>
    public const int MagicBytes = 4;

    // 2^27 = 128 MiB: what the zstd tool itself accepts without being asked for more.
    private const int ZstdWindowLog = 27;

    /// <summary>Name endings of compressed files, in lower case.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [".gz", ".zst", ".bz2"];

    /// <summary>
    /// The decompressed bytes; null if the file is not compressed. gzip may have any number of members, zstd of frames and bzip2 of
    /// streams, one behind the other.
    /// </summary>
    /// <param name="magic">The first <see cref="MagicBytes"/> bytes, fewer if there are no more.</param>
    /// <param name="bytes">All bytes, the first ones included.</param>
    /// <param name="length">How many they are.</param>
    public static Stream? Open(ReadOnlySpan<byte> magic, Stream bytes, long length)
    {
        if (IsGZip(magic))
        {
            return new GZipMembers(bytes, length);
        }

        if (IsBZip2(magic))
        {
            return new BZip2Members(bytes);
        }

        return IsZstd(magic) ? OpenZstd(bytes) : null;
    }

    /// <summary>The compression that a file which begins so is in: "gzip", "bzip2" or "zstd"; null: in none.</summary>
    public static string? NameOf(ReadOnlySpan<byte> start)
    {
        ReadOnlySpan<byte> magic = start[..Math.Min(MagicBytes, start.Length)];
        return IsGZip(magic) ? "gzip"
            : IsBZip2(magic) ? "bzip2"
            : IsZstd(magic) ? "zstd"
            : null;
    }

    private static bool IsGZip(ReadOnlySpan<byte> magic) => magic.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]);

    private static bool IsBZip2(ReadOnlySpan<byte> magic) =>
        magic.Length == MagicBytes && magic.StartsWith("BZh"u8) && magic[3] is >= (byte)'1' and <= (byte)'9';

    private static bool IsZstd(ReadOnlySpan<byte> magic)
    {
        bool skippable =
            magic.Length == MagicBytes && (magic[0] & 0xF0) == 0x50 && magic[1..].SequenceEqual((ReadOnlySpan<byte>)[0x2A, 0x4D, 0x18]);
        return skippable || magic.SequenceEqual((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]);
    }

    private static DecompressionStream OpenZstd(Stream bytes)
    {
        var zstd = new DecompressionStream(bytes, checkEndOfStream: true);
        zstd.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, ZstdWindowLog);
        return zstd;
    }
}
