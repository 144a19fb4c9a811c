namespace ElectraPipeline.Training.Corpus;

/// <summary>The files that an ingestion reads, each with its digest: what is read later must be these bytes.</summary>
/// <param name="Sources">What <see cref="CorpusOptions.Paths"/> means.</param>
/// <param name="Filters">What the filters read.</param>
/// <param name="Links">Names of links that were not followed.</param>
public sealed record CorpusFiles(IReadOnlyList<SourceFile> Sources, IReadOnlyList<SourceFile> Filters, IReadOnlyList<string> Links)
{
    /// <summary>Finds the files.</summary>
    /// <param name="options">What to read.</param>
    /// <param name="allowed">Where the files of a path may lie; null: anywhere.</param>
    /// <exception cref="PermanentException">See <see cref="SourceFiles.Resolve"/>; or a file of a filter is missing.</exception>
    public static CorpusFiles Resolve(CorpusOptions options, Func<string, InputFolders>? allowed = null)
    {
        var links = new List<string>();
        IReadOnlyList<SourceFile> sources = SourceFiles.Resolve(options, links.Add, allowed);
        return new CorpusFiles(sources, options.Filters?.ResolveFiles(allowed) ?? [], links);
    }
}
