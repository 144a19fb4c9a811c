using System.IO.Compression;

namespace ElectraPipeline.Bench;

/// <summary>The input of the text benchmarks: all .txt.gz files of a folder, by name, one after the other.</summary>
internal static class EnglishText
{
    public const string DefaultFolder = "../shared/data/corpora/english_novels";

    /// <summary>At most <paramref name="maxBytes"/> bytes, cut at a line feed.</summary>
    public static byte[] Read(string folder, int maxBytes)
    {
        using var text = new MemoryStream();
        foreach (string path in Directory.GetFiles(folder, "*.txt.gz").Order(StringComparer.Ordinal))
        {
            using var source = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
            source.CopyTo(text);
        }

        byte[] all = text.ToArray();
        return all.Length <= maxBytes ? all : all[..(Array.LastIndexOf(all, (byte)'\n', maxBytes - 1) + 1)];
    }

    public static List<Range> Lines(byte[] text)
    {
        var lines = new List<Range>();
        int start = 0;
        for (int end; (end = Array.IndexOf(text, (byte)'\n', start)) >= 0; start = end + 1)
        {
            lines.Add(start..end);
        }

        return lines;
    }
}
