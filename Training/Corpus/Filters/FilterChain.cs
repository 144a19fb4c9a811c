namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>
/// Sends documents through the filters that the options turn on, many at a time: filters whose verdicts depend on a document alone on
/// some threads, then the others in source order. What comes out, and in which order, does not depend on the number of threads.
/// </summary>
internal sealed class FilterChain
{
    private readonly IReadOnlyList<IDocumentFilter> independent;
    private readonly IReadOnlyList<IDocumentFilter> ordered;
    private readonly FilterLedger ledger;
    private readonly bool isOn;
    private readonly int threads;

    /// <param name="options">Which filters; null: none.</param>
    /// <param name="files">What <see cref="CorpusFilterOptions.ResolveFiles"/> found.</param>
    /// <param name="threads">How many judge.</param>
    /// <exception cref="PermanentException">
    /// An option is out of range (the message names all that are), or a file that a filter reads is missing or broken.
    /// </exception>
    public FilterChain(CorpusFilterOptions? options, IReadOnlyList<SourceFile> files, int threads)
    {
        this.threads = threads;
        isOn = options is not null;
        if (options?.Faults() is { Count: > 0 } faults)
        {
            throw new PermanentException(string.Join('\n', faults));
        }

        IReadOnlyList<IDocumentFilter> filters = options is null ? [] : FiltersOf(options, files);
        independent = [.. filters.Where(filter => !filter.DependsOnOrder)];
        ordered = [.. filters.Where(filter => filter.DependsOnOrder)];
        ledger = new FilterLedger([.. independent.Concat(ordered).Select(filter => filter.Name)]);
    }

    /// <summary>Judges documents, which come in source order over all calls, and returns those that stay, in that order.</summary>
    public List<FilteredDocument> Judge(List<FilteredDocument> documents)
    {
        if (!isOn)
        {
            return documents;
        }

        ParallelWork.For(documents.Count, threads, i => JudgeAlone(documents[i]));
        foreach (FilteredDocument document in documents)
        {
            foreach (IDocumentFilter filter in ordered)
            {
                document.Pass(filter);
            }

            ledger.Add(document);
        }

        return documents.FindAll(document => document.Removal is null);
    }

    /// <summary>Hears of a document that is written in the end.</summary>
    public void Written(Document document, string? language)
    {
        if (isOn)
        {
            ledger.AddWritten(document.Text, language);
        }
    }

    /// <summary>What was removed; null without filters.</summary>
    public FilterReport? Report() => isOn ? ledger.Report() : null;

    /// <summary>Cheap filters first, as a document that is removed costs nothing more.</summary>
    private static List<IDocumentFilter> FiltersOf(CorpusFilterOptions options, IReadOnlyList<SourceFile> files)
    {
        SourceFile[] Named(IReadOnlyList<string> paths) => [.. paths.Select(path => files.First(file => file.Path == path))];
        var filters = new List<IDocumentFilter>();
        void Use<TOptions>(TOptions? given, Func<TOptions, IDocumentFilter> make)
            where TOptions : class
        {
            if (given is not null)
            {
                filters.Add(make(given));
            }
        }

        Use(options.Length, given => new LengthFilter(given));
        Use(options.Language, given => new LanguageFilter(given, Named(given.Profiles)));
        Use(options.C4, given => new C4Filter(given));
        Use(options.GopherQuality, given => new GopherQualityFilter(given));
        Use(options.GopherRepetition, given => new GopherRepetitionFilter(given));
        Use(options.Decontaminate, given => new DecontaminationFilter(given, Named(given.Files)));
        Use(options.NearDuplicates, given => new NearDuplicateFilter(given));
        Use(options.Boilerplate, given => new BoilerplateFilter(given));
        return filters;
    }

    private void JudgeAlone(FilteredDocument document)
    {
        foreach (IDocumentFilter filter in independent)
        {
            document.Pass(filter);
        }

        if (document.Removal is null)
        {
            foreach (IDocumentFilter filter in ordered)
            {
                filter.Prepare(document);
            }
        }

        document.ForgetWords();
    }
}
