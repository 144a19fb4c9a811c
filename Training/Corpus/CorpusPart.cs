namespace ElectraPipeline.Training.Corpus;

/// <summary>A part of a corpus: its file, and what the manifest tells of it.</summary>
/// <param name="Path">The file.</param>
/// <param name="Told">What the manifest tells.</param>
internal sealed record CorpusPart(string Path, OutputPart Told)
{
    /// <summary>A part by its file alone.</summary>
    /// <exception cref="PermanentException">The manifest beside it does not list it.</exception>
    public static CorpusPart At(string path)
    {
        string folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        OutputPart told =
            CorpusManifest.Read(folder).Parts.FirstOrDefault(part => part.Name == System.IO.Path.GetFileName(path))
            ?? throw new PermanentException($"{path} is not listed by the manifest beside it; ingest again");
        return new CorpusPart(path, told);
    }
}
