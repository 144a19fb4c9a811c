using System.Text;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>The "Name: value" lines before a blank one, as WARC and HTTP write them.</summary>
internal static class HeaderFields
{
    /// <summary>
    /// Reads the first line and the fields up to the blank line or the end. Names in lower case; a line that begins with white
    /// space continues the value before it; of a repeated name the last value counts; lines that are no field are passed over.
    /// </summary>
    /// <param name="bytes">At the first line.</param>
    /// <param name="budget">Bytes that the header may take; reduced by what was read.</param>
    /// <param name="firstLine">The status or version line.</param>
    /// <returns>Null if the budget does not suffice.</returns>
    public static Dictionary<string, string>? Read(ByteReader bytes, ref int budget, out string firstLine)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        string? name = null;
        firstLine = "";
        for (int number = 0; !bytes.AtEnd; number++)
        {
            if (bytes.ReadLine(budget) is not { } line)
            {
                return null;
            }

            if (line.IsEmpty && number > 0)
            {
                return fields;
            }

            budget -= line.Length;
            string text = Encoding.UTF8.GetString(line.Span);
            if (number == 0)
            {
                firstLine = text;
            }
            else if (name is not null && char.IsWhiteSpace(text[0]))
            {
                fields[name] += " " + text.Trim();
            }
            else if (text.IndexOf(':') is > 0 and int colon)
            {
                name = text[..colon].Trim().ToLowerInvariant();
                fields[name] = text[(colon + 1)..].Trim();
            }
        }

        return fields;
    }
}
