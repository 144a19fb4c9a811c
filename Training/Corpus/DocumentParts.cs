namespace ElectraPipeline.Training.Corpus;

/// <summary>The files of a corpus folder: JSON lines with id, text and source, compressed with zstd if the options say so.</summary>
public static class DocumentParts
{
    internal const string ManifestName = "manifest.json";

    /// <summary>Paths of the parts, in order.</summary>
    /// <exception cref="PermanentException">The folder is no corpus, or a part that its manifest lists is missing.</exception>
    public static IReadOnlyList<string> List(string folder) => [.. PartsOf(folder).Select(part => part.Path)];

    /// <summary>
    /// The parts, in order, by one look at the manifest: of thousands of parts it is long, and who needs more than one must not read it for
    /// each.
    /// </summary>
    /// <exception cref="PermanentException">The folder is no corpus, or a part that its manifest lists is missing.</exception>
    internal static IReadOnlyList<CorpusPart> PartsOf(string folder) =>
        [.. CorpusManifest.Read(folder).Parts.Select(part => Find(folder, part))];

    /// <summary>
    /// One part, counted from 0, without a look at the others' files: a stage for each part would look at all of them as often as there are
    /// parts.
    /// </summary>
    /// <exception cref="PermanentException">The folder is no corpus, or it has no such part, or the part's file is missing.</exception>
    internal static CorpusPart PartOf(string folder, int part)
    {
        IReadOnlyList<OutputPart> parts = CorpusManifest.Read(folder).Parts;
        return part >= 0 && part < parts.Count
            ? Find(folder, parts[part])
            : throw new PermanentException($"part {part} of {folder} does not exist; it has {parts.Count}, counted from 0");
    }

    /// <summary>The documents of a part, lazily, in the order they were written.</summary>
    /// <exception cref="PermanentException">The part is damaged; the message names the line, or says that its hash is another.</exception>
    public static IEnumerable<Document> Read(string partPath)
    {
        using PartLines lines = new(CorpusPart.At(partPath));
        Document? document = null;
        while (lines.Read(line => document = DocumentLine.Read(line)))
        {
            yield return document!;
        }
    }

    internal static string NameOf(int part, bool compressed) => $"documents-{part:00000}.jsonl{(compressed ? ".zst" : "")}";

    private static CorpusPart Find(string folder, OutputPart part)
    {
        string path = Path.Combine(folder, part.Name);
        if (Path.GetFileName(part.Name) != part.Name)
        {
            throw new PermanentException(
                $"{Path.Combine(folder, ManifestName)} lists \"{part.Name}\", which is no file of this folder; ingest again"
            );
        }

        return File.Exists(path)
            ? new CorpusPart(path, part)
            : throw new PermanentException($"{path} is missing though the manifest beside it lists it; ingest again");
    }
}
