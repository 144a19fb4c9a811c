namespace ElectraPipeline.Training.Corpus;

/// <summary>The lines of one part of a corpus, held at their end against what the manifest beside them says.</summary>
internal sealed class PartLines : IDisposable
{
    private readonly OutputPart told;
    private readonly StoredLines lines;

    /// <param name="part">Which.</param>
    public PartLines(CorpusPart part)
    {
        told = part.Told;
        lines = new StoredLines(
            part.Path,
            (found, exception) =>
                exception is null
                    ? new PermanentException($"{part.Path} is damaged {found}; ingest again")
                    : new PermanentException($"{part.Path} is damaged {found}; ingest again", exception)
        );
    }

    /// <summary>Gives the next line to <paramref name="parse"/>; false at the end.</summary>
    /// <exception cref="PermanentException">The part is damaged.</exception>
    public bool Read(Action<ReadOnlySpan<byte>> parse)
    {
        if (lines.Read(parse))
        {
            return true;
        }

        lines.Check(told.Documents, told.XxHash3);
        return false;
    }

    public void Dispose() => lines.Dispose();
}
