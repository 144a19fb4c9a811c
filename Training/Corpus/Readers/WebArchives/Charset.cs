using System.Text;
using System.Text.Unicode;
using UtfUnknown;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>Finds out in which encoding a page is written, and decodes it.</summary>
/// <remarks>
/// In this order: a byte-order mark; UTF-8 if the bytes are valid UTF-8 beyond ASCII (no page in another encoding is that by
/// accident, while pages with a wrong label are common); the label of the HTTP header; that of a meta element; statistics
/// of the bytes; windows-1252, which browsers take too.
/// </remarks>
internal static class Charset
{
    private const int MetaBytes = 4096;
    private const float MinConfidence = 0.5f;

    /// <summary>The text; null if more than 1 % of its characters do not belong to the encoding found.</summary>
    /// <param name="bytes">The page.</param>
    /// <param name="label">The charset parameter of its media type, if any.</param>
    /// <param name="html">Whether meta elements count.</param>
    /// <param name="name">The encoding found.</param>
    public static string? Decode(ReadOnlySpan<byte> bytes, string? label, bool html, out string name)
    {
        Encoding encoding = Detect(bytes, label, html, out int markBytes);
        name = encoding.WebName;
        string text = encoding.GetString(bytes[markBytes..]);
        return text.AsSpan().Count('\uFFFD') * 100L > text.Length ? null : text;
    }

    private static Encoding Detect(ReadOnlySpan<byte> bytes, string? label, bool html, out int markBytes)
    {
        foreach (Encoding marked in (Encoding[])[Encoding.UTF8, Encoding.UTF32, Encoding.Unicode, Encoding.BigEndianUnicode])
        {
            if (bytes.StartsWith(marked.Preamble))
            {
                markBytes = marked.Preamble.Length;
                return marked;
            }
        }

        markBytes = 0;
        bool ascii = Ascii.IsValid(bytes);
        if (!ascii && Utf8.IsValid(bytes))
        {
            return Encoding.UTF8;
        }

        Encoding? told = Named(label) ?? (html ? Named(MetaLabel(bytes)) : null);
        return told ?? (ascii ? Encoding.UTF8 : Guess(bytes));
    }

    private static Encoding Guess(ReadOnlySpan<byte> bytes)
    {
        DetectionDetail? found = CharsetDetector.DetectFromBytes(bytes.ToArray()).Detected;
        return (found?.Confidence >= MinConfidence ? found.Encoding ?? Named(found.EncodingName) : null) ?? Named("windows-1252")!;
    }

    private static Encoding? Named(string? label)
    {
        // Browsers read these labels as their windows superset, and pages are written for browsers.
        string? name = label?.Trim().ToLowerInvariant() switch
        {
            null or "" => null,
            "iso-8859-1" or "latin1" or "us-ascii" or "ascii" => "windows-1252",
            "iso-8859-9" => "windows-1254",
            "utf8" => "utf-8",
            "gb2312" or "gbk" or "x-gbk" => "gb18030",
            "x-sjis" => "shift_jis",
            // The label is read in bytes, so the page cannot be UTF-16; UTF-7 is an attack.
            "utf-16" or "utf-16le" or "utf-16be" or "utf-7" => "utf-8",
            { } other => other,
        };
        try
        {
            return name is null ? null : CodePagesEncodingProvider.Instance.GetEncoding(name) ?? Encoding.GetEncoding(name);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>The charset that a meta element in the page's beginning tells, in either of its two forms.</summary>
    private static string? MetaLabel(ReadOnlySpan<byte> bytes)
    {
        string head = Encoding.Latin1.GetString(bytes[..Math.Min(MetaBytes, bytes.Length)]);
        for (int meta = Find(head, "<meta", 0); meta >= 0; meta = Find(head, "<meta", meta + 1))
        {
            int end = head.IndexOf('>', meta);
            string element = end < 0 ? head[meta..] : head[meta..end];
            int at = Find(element, "charset", 0);
            int equals = at < 0 ? -1 : element.IndexOf('=', at);
            if (equals >= 0)
            {
                string value = element[(equals + 1)..].TrimStart(' ', '"', '\'');
                int stop = value.AsSpan().IndexOfAny(" \t\r\n\"';/>");
                return stop < 0 ? value : value[..stop];
            }
        }

        return null;
    }

    private static int Find(string text, string value, int start) => text.IndexOf(value, start, StringComparison.OrdinalIgnoreCase);
}
