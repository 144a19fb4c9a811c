namespace ElectraPipeline.Training.Tokenization;

/// <summary>Turns text into ids of a WordPiece vocabulary. Implementations are safe to call from any number of threads.</summary>
public interface ITokenizer
{
    /// <summary>The tokens behind the ids.</summary>
    Vocabulary Vocabulary { get; }

    /// <summary>
    /// Appends the ids of <paramref name="utf8"/>, without [CLS] and [SEP]. Bytes that are not UTF-8 count as U+FFFD, which
    /// normalization removes.
    /// </summary>
    void Encode(ReadOnlySpan<byte> utf8, List<int> ids);

    /// <summary>Appends the ids of <paramref name="text"/>, without [CLS] and [SEP]. Lone surrogates count as U+FFFD.</summary>
    void Encode(string text, List<int> ids);

    /// <summary>
    /// Puts the ids of all lines of <paramref name="utf8"/> in place of <paramref name="ids"/>, and where those of each line end in
    /// place of <paramref name="ends"/>; lines without any are left out.
    /// </summary>
    void EncodeLines(ReadOnlySpan<byte> utf8, List<int> ids, List<int> ends)
    {
        ids.Clear();
        ends.Clear();
        foreach (Range line in utf8.Split((byte)'\n'))
        {
            int before = ids.Count;
            Encode(utf8[line], ids);
            if (ids.Count > before)
            {
                ends.Add(ids.Count);
            }
        }
    }
}
