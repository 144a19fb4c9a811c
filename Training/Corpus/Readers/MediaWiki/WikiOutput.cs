namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>Text under construction that can be read and cut anywhere near its end at the cost of what is moved.</summary>
internal sealed class WikiOutput
{
    private char[] text = new char[1 << 12];

    public int Length { get; private set; }

    public void Append(ReadOnlySpan<char> piece)
    {
        if (Length + piece.Length > text.Length)
        {
            Array.Resize(ref text, Math.Max(2 * text.Length, Length + piece.Length));
        }

        piece.CopyTo(text.AsSpan(Length));
        Length += piece.Length;
    }

    public ReadOnlySpan<char> Slice(int start, int end) => text.AsSpan(start, end - start);

    public void CutTo(int length) => Length = length;

    /// <summary>Removes what is between two positions.</summary>
    public void Cut(int start, int end)
    {
        text.AsSpan(end, Length - end).CopyTo(text.AsSpan(start));
        Length -= end - start;
    }

    public override string ToString() => new(text, 0, Length);
}
