using System.Xml;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>What the readers of XML formats share.</summary>
internal static class XmlSource
{
    /// <summary>A streaming reader that refuses document type definitions: nothing is fetched and nothing expands.</summary>
    public static XmlReader Open(Stream stream) =>
        XmlReader.Create(
            stream,
            new XmlReaderSettings
            {
                DtdProcessing = DtdProcessing.Prohibit,
                XmlResolver = null,
                IgnoreComments = true,
                IgnoreProcessingInstructions = true,
            }
        );

    /// <summary>
    /// Whether the first element of a file that begins with <paramref name="head"/> has the name <paramref name="name"/>.
    /// </summary>
    public static bool HasRoot(ReadOnlySpan<byte> head, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> rest = head.TrimStart(" \t\r\n"u8);
        while (rest.StartsWith("<?"u8) || rest.StartsWith("<!"u8))
        {
            ReadOnlySpan<byte> end = rest.StartsWith("<!--"u8) ? "-->"u8 : ">"u8;
            int at = rest.IndexOf(end);
            rest = at < 0 ? [] : rest[(at + end.Length)..].TrimStart(" \t\r\n"u8);
        }

        return rest.Length > name.Length + 1
            && rest[0] == '<'
            && rest[1..].StartsWith(name)
            && " \t\r\n>/"u8.Contains(rest[name.Length + 1]);
    }
}
