namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>Recorded HTTP responses: header, transfer and content encoding.</summary>
internal static class HttpResponse
{
    private const int MaxHeaderBytes = 1 << 18;

    /// <summary>The page of a response of status 2xx as text; other states and media types that hold no text are skipped.</summary>
    public static ReadRecord ToRecord(byte[] message, PageOrigin origin, CorpusOptions options)
    {
        var bytes = new ByteReader(new MemoryStream(message));
        int budget = MaxHeaderBytes;
        if (HeaderFields.Read(bytes, ref budget, out string statusLine) is not { } fields || StatusOf(statusLine) is not int status)
        {
            return origin.Reject("broken-http", "the block does not begin with an HTTP response header");
        }

        if (status is < 200 or > 299)
        {
            return origin.Skip("http-status", $"{origin.Id}: status {status}");
        }

        byte[] body = message[(int)bytes.Offset..];
        string mediaType = fields.GetValueOrDefault("content-type", "");
        if (!WebPage.MayBeText(mediaType))
        {
            return origin.Skip("not-text", $"{origin.Id}: {mediaType}");
        }

        try
        {
            body = HttpBody.Decode(body, fields, options.MaxDocumentBytes);
        }
        catch (InvalidDataException exception)
        {
            return origin.Reject("broken-http", exception.Message);
        }

        return WebPage.ToRecord(body, mediaType, origin);
    }

    /// <summary>"HTTP/1.1 200 OK" is 200; null for what is no status line.</summary>
    private static int? StatusOf(string line)
    {
        string[] words = line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
        return
            words.Length >= 2 && words[0].StartsWith("HTTP", StringComparison.OrdinalIgnoreCase) && int.TryParse(words[1], out int status)
            ? status
            : null;
    }
}
