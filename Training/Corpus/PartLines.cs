namespace ElectraPipeline.Training.Corpus;

/// <summary>The lines of one part of a corpus, held at their end against what the manifest beside them says.</summary>
internal sealed class PartLines : IDisposable
{
    private readonly OutputPart part;
    private readonly StoredLines lines;

    /// <param name="path">One of <see cref="DocumentParts.List"/>.</param>
    /// <exception cref="PermanentException">The manifest beside it does not list it.</exception>
    public PartLines(string path)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        part = CorpusManifest.Read(folder).Parts.FirstOrDefault(part => part.Name == Path.GetFileName(path))
            ?? throw new PermanentException($"{path} is not listed by the manifest beside it; ingest again");
        lines = new StoredLines(path, (found, exception) => exception is null
            ? new PermanentException($"{path} is damaged {found}; ingest again")
            : new PermanentException($"{path} is damaged {found}; ingest again", exception));
    }

    /// <summary>Gives the next line to <paramref name="parse"/>; false at the end.</summary>
    /// <exception cref="PermanentException">The part is damaged.</exception>
    public bool Read(Action<ReadOnlySpan<byte>> parse)
    {
        if (lines.Read(parse))
        {
            return true;
        }

        lines.Check(part.Documents, part.XxHash3);
        return false;
    }

    public void Dispose() => lines.Dispose();
}
