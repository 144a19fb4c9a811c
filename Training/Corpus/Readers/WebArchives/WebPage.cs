namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>Turns the body of a page into text by its media type.</summary>
internal static class WebPage
{
    /// <summary>Whether the type is HTML or plain text, or not told.</summary>
    public static bool MayBeText(string mediaType) => EssenceOf(mediaType) is "" or "text/html" or "application/xhtml+xml" or "text/plain";

    /// <summary>The page as a document; a skip if its type holds no text, a reject if it cannot be decoded.</summary>
    /// <param name="body">Decoded from transfer and content encodings.</param>
    /// <param name="mediaType">As the server or the archive tells it: "text/html; charset=utf-8".</param>
    /// <param name="origin">Where it was read.</param>
    public static ReadRecord ToRecord(byte[] body, string mediaType, PageOrigin origin)
    {
        if (!MayBeText(mediaType))
        {
            return origin.Skip("not-text", $"{origin.Id}: {mediaType}");
        }

        string essence = EssenceOf(mediaType);
        bool html = essence is "text/html" or "application/xhtml+xml" || essence.Length == 0 && LooksLikeHtml(body);
        string? text = Charset.Decode(body, ParameterOf(mediaType, "charset"), html, out string charset);
        if (text is null)
        {
            return origin.Reject("undecodable-text", $"more than one character in a hundred is not {charset}");
        }

        return origin.Document(html ? HtmlText.Extract(text) : DocumentText.Normalize(text));
    }

    private static bool LooksLikeHtml(ReadOnlySpan<byte> body) => body.TrimStart("\uFEFF \t\r\n"u8).StartsWith("<"u8);

    private static string EssenceOf(string mediaType)
    {
        int end = mediaType.IndexOf(';');
        return (end < 0 ? mediaType : mediaType[..end]).Trim().ToLowerInvariant();
    }

    private static string? ParameterOf(string mediaType, string name)
    {
        foreach (string parameter in mediaType.Split(';').Skip(1))
        {
            string[] pair = parameter.Split('=', 2, StringSplitOptions.TrimEntries);
            if (pair.Length == 2 && pair[0].Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return pair[1].Trim('"', '\'', ' ');
            }
        }

        return null;
    }
}
