using System.Globalization;

namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>A sentence with a tag a word.</summary>
internal sealed record TaggedSentence(IReadOnlyList<string> Words, IReadOnlyList<string> Tags);

/// <summary>Which columns of a CoNLL file are read; a negative place counts from the last.</summary>
internal sealed record ConllColumns(int Word, int Tag)
{
    private const int Last = -1;

    /// <summary>The columns that options name by place.</summary>
    /// <exception cref="PermanentException">A column is called by a name.</exception>
    public static ConllColumns Of(FinetuneOptions options)
    {
        FinetuneOptions defaults = new() { Name = "", Train = "" };
        return new ConllColumns(
            options.TextColumn == defaults.TextColumn ? 0 : Place(options, options.TextColumn),
            options.LabelColumn == defaults.LabelColumn ? Last : Place(options, options.LabelColumn)
        );
    }

    private static int Place(FinetuneOptions options, string column) =>
        column.StartsWith('#') && int.TryParse(column.AsSpan(1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int place)
            ? place
            : throw new PermanentException(
                $"finetune \"{options.Name}\": \"{column}\" is no column of a file that names none; \"#0\" is the "
                    + "first, \"#-1\" the last"
            );
}

/// <summary>
/// Files with a word a line, columns separated by tabs or by spaces, and a blank line after a sentence, as the CoNLL tasks have them.
/// Comments and ranges of the .conllu form, and -DOCSTART- lines, are passed over.
/// </summary>
internal static class ConllFile
{
    /// <summary>The sentences of a file (or one with .gz behind it), in its order.</summary>
    /// <param name="path">The file.</param>
    /// <param name="columns">Which of its columns are read.</param>
    /// <param name="sha256">Its digest; null: any.</param>
    /// <exception cref="PermanentException">The file is missing, or a line has too few columns; the message names it.</exception>
    public static IReadOnlyList<TaggedSentence> Read(string path, ConllColumns columns, string? sha256 = null)
    {
        bool isUniversal = path.Contains(".conllu", StringComparison.OrdinalIgnoreCase);
        List<TaggedSentence> sentences = [];
        List<string> words = [],
            tags = [];
        foreach ((long line, string text) in TextLines.Of(path, TaskFile.ReadBytes(path, sha256)))
        {
            string[] fields = text.Contains('\t') ? text.Split('\t') : text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (string.IsNullOrWhiteSpace(text) || fields[0] == "-DOCSTART-")
            {
                EndSentence();
            }
            else if (!isUniversal || IsWord(fields[0]))
            {
                words.Add(Field(columns.Word));
                tags.Add(Field(columns.Tag));
            }

            string Field(int place)
            {
                int index = place < 0 ? fields.Length + place : place;
                return index >= 0 && index < fields.Length && fields[index].Trim() is { Length: > 0 } field
                    ? field
                    : throw new PermanentException(
                        $"{path}, line {line}: {fields.Length} columns, none of them \"#{place}\" with a text in it"
                    );
            }
        }

        EndSentence();
        return sentences.Count > 0 ? sentences : throw new PermanentException($"{path}: the file holds no tagged sentence");

        void EndSentence()
        {
            if (words.Count > 0)
            {
                sentences.Add(new TaggedSentence([.. words], [.. tags]));
                words.Clear();
                tags.Clear();
            }
        }
    }

    // "3-4" is a range of words that follow, "3.1" a word that is not written, "# ..." a comment.
    private static bool IsWord(string id) => int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out _);
}
