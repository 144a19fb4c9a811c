using System.Text;

namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>Lines of a UTF-8 file. Only line feeds end lines: a carriage return inside a text is part of it.</summary>
internal static class TextLines
{
    /// <summary>Lines with their numbers from 1; a last line without a line feed counts, an empty one after the last does not.</summary>
    /// <exception cref="PermanentException">A line is not UTF-8.</exception>
    public static IEnumerable<(long Line, string Text)> Of(string path, byte[] content)
    {
        int start = 0;
        for (long line = 1; start < content.Length; line++)
        {
            int length = content.AsSpan(start).IndexOf((byte)'\n');
            length = length < 0 ? content.Length - start : length;
            yield return (line, Decode(path, line, content.AsSpan(start, length).TrimEnd((byte)'\r')));
            start += length + 1;
        }
    }

    private static string Decode(string path, long line, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return TaskFile.StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException fault)
        {
            throw new PermanentException($"{path}, line {line}: not UTF-8 ({fault.Message}); save the file as UTF-8", fault);
        }
    }
}
