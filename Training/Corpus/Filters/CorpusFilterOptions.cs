namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>Which documents are removed though they can be read. Each filter is on if its key is there; "{}" takes its defaults.</summary>
public sealed record CorpusFilterOptions
{
    /// <summary>Removes what is too short or too long.</summary>
    public LengthFilterOptions? Length { get; init; }

    /// <summary>Removes what is in other languages than wanted.</summary>
    public LanguageFilterOptions? Language { get; init; }

    /// <summary>Removes what does not look like running text: the quality rules of Gopher (Rae et al. 2021, table A1).</summary>
    public GopherQualityOptions? GopherQuality { get; init; }

    /// <summary>Removes what repeats itself: the repetition rules of Gopher (table A1).</summary>
    public GopherRepetitionOptions? GopherRepetition { get; init; }

    /// <summary>
    /// Removes lines that are no sentences and what is left too short: the rules of C4 (Raffel et al. 2020, section 2.2).
    /// </summary>
    public C4Options? C4 { get; init; }

    /// <summary>Removes what shares text with files that models are evaluated on.</summary>
    public DecontaminationOptions? Decontaminate { get; init; }

    /// <summary>Removes what resembles a document before.</summary>
    public NearDuplicateOptions? NearDuplicates { get; init; }

    /// <summary>Removes lines that many documents before hold.</summary>
    public BoilerplateOptions? Boilerplate { get; init; }

    /// <summary>Each field that is out of range, with its value and what is allowed.</summary>
    public IReadOnlyList<string> Faults()
    {
        var faults = new FilterFaults();
        Length?.Check(faults);
        Language?.Check(faults);
        GopherQuality?.Check(faults);
        GopherRepetition?.Check(faults);
        C4?.Check(faults);
        Decontaminate?.Check(faults);
        NearDuplicates?.Check(faults);
        Boilerplate?.Check(faults);
        return faults.Found;
    }

    /// <summary>The same with other paths of the files that filters read; <paramref name="change"/> gets each field and its path.</summary>
    public CorpusFilterOptions WithPaths(Func<string, string, string> change) =>
        this with
        {
            Language = Language is null
                ? null
                : Language with
                {
                    Profiles = [.. Language.Profiles.Select((path, i) => change($"language.profiles[{i}]", path))],
                },
            Decontaminate = Decontaminate is null
                ? null
                : Decontaminate with
                {
                    Files = [.. Decontaminate.Files.Select((path, i) => change($"decontaminate.files[{i}]", path))],
                },
        };

    /// <summary>The files that filters read, with their digests.</summary>
    /// <param name="allowed">Where a file may lie; null: anywhere.</param>
    /// <exception cref="PermanentException">One does not exist, or leads where it may not; the message names it.</exception>
    public IReadOnlyList<SourceFile> ResolveFiles(Func<string, InputFolders>? allowed = null) =>
        [
            .. (Language?.Profiles ?? [])
                .Concat(Decontaminate?.Files ?? [])
                .Select(path =>
                    File.Exists(path)
                        ? SourceFile.Of(path, Path.GetFileName(path), allowed?.Invoke(path) ?? InputFolders.Anywhere)
                        : throw new PermanentException($"{path} of corpus.filters is no file; paths are relative to the config file")
                ),
        ];
}

/// <summary>Bounds of a document's length; each is allowed itself.</summary>
public sealed record LengthFilterOptions
{
    /// <summary>Words at least; in scripts without spaces letters.</summary>
    public int MinWords { get; init; } = 10;

    /// <summary>Words at most.</summary>
    public int MaxWords { get; init; } = 1_000_000;

    /// <summary>UTF-16 units at least.</summary>
    public int MinCharacters { get; init; } = 50;

    /// <summary>UTF-16 units at most.</summary>
    public int MaxCharacters { get; init; } = 10_000_000;

    internal void Check(FilterFaults faults)
    {
        faults.Require(MinWords >= 0, "length.minWords", MinWords, "0 or more");
        faults.Require(MaxWords >= MinWords, "length.maxWords", MaxWords, $"length.minWords ({MinWords}) or more");
        faults.Require(MinCharacters >= 0, "length.minCharacters", MinCharacters, "0 or more");
        faults.Require(
            MaxCharacters >= MinCharacters,
            "length.maxCharacters",
            MaxCharacters,
            $"length.minCharacters ({MinCharacters}) or more"
        );
    }
}

/// <summary>Thresholds of Gopher's quality rules.</summary>
public sealed record GopherQualityOptions
{
    /// <summary>Words at least; in scripts without spaces letters.</summary>
    public int MinWords { get; init; } = 50;

    /// <summary>Words at most.</summary>
    public int MaxWords { get; init; } = 100_000;

    /// <summary>Letters a word at least, on average. Not asked in scripts without spaces.</summary>
    public double MinMeanWordLength { get; init; } = 3;

    /// <summary>Letters a word at most, on average. Not asked in scripts without spaces.</summary>
    public double MaxMeanWordLength { get; init; } = 10;

    /// <summary>'#' a word at most, and ellipses a word at most.</summary>
    public double MaxSymbolsPerWord { get; init; } = 0.1;

    /// <summary>Share of lines that begin with a bullet, at most.</summary>
    public double MaxBulletLines { get; init; } = 0.9;

    /// <summary>Share of lines that end with an ellipsis, at most.</summary>
    public double MaxEllipsisLines { get; init; } = 0.3;

    /// <summary>Share of what stands between spaces that has a letter, at least.</summary>
    public double MinWordsWithLetter { get; init; } = 0.8;

    /// <summary>Different stop words at least, of the eight of one language.</summary>
    public int MinStopWords { get; init; } = 2;

    /// <summary>Languages (ISO 639-1 codes) whose stop words are tried; empty: all that are known.</summary>
    public IReadOnlyList<string> Languages { get; init; } = [];

    internal void Check(FilterFaults faults)
    {
        faults.Require(MinWords >= 0, "gopherQuality.minWords", MinWords, "0 or more");
        faults.Require(MaxWords >= MinWords, "gopherQuality.maxWords", MaxWords, $"gopherQuality.minWords ({MinWords}) or more");
        faults.Require(MinMeanWordLength >= 0, "gopherQuality.minMeanWordLength", MinMeanWordLength, "0 or more");
        faults.Require(
            MaxMeanWordLength >= MinMeanWordLength,
            "gopherQuality.maxMeanWordLength",
            MaxMeanWordLength,
            "gopherQuality.minMeanWordLength or more"
        );
        faults.Require(MaxSymbolsPerWord >= 0, "gopherQuality.maxSymbolsPerWord", MaxSymbolsPerWord, "0 or more");
        faults.Share(MaxBulletLines, "gopherQuality.maxBulletLines");
        faults.Share(MaxEllipsisLines, "gopherQuality.maxEllipsisLines");
        faults.Share(MinWordsWithLetter, "gopherQuality.minWordsWithLetter");
        faults.Require(
            MinStopWords is >= 0 and <= FrequentWords.StopWords,
            "gopherQuality.minStopWords",
            MinStopWords,
            $"0 to {FrequentWords.StopWords}"
        );
        faults.Languages(Languages, "gopherQuality.languages");
    }
}

/// <summary>Thresholds of Gopher's repetition rules: the largest share of a document that may be repetition.</summary>
public sealed record GopherRepetitionOptions
{
    /// <summary>Lines that occurred before in the document, as a share of its lines.</summary>
    public double MaxDuplicateLines { get; init; } = 0.3;

    /// <summary>Their characters, as a share of the document's.</summary>
    public double MaxDuplicateLineCharacters { get; init; } = 0.2;

    /// <summary>Characters in the most frequent 2-gram, 3-gram, 4-gram of words, as a share of all words'.</summary>
    public IReadOnlyList<double> MaxTopNgrams { get; init; } = [0.20, 0.18, 0.16];

    /// <summary>Characters in 5-grams, 6-grams, ... 10-grams of words that occurred before, as a share of all words'.</summary>
    public IReadOnlyList<double> MaxDuplicateNgrams { get; init; } = [0.15, 0.14, 0.13, 0.12, 0.11, 0.10];

    internal void Check(FilterFaults faults)
    {
        faults.Share(MaxDuplicateLines, "gopherRepetition.maxDuplicateLines");
        faults.Share(MaxDuplicateLineCharacters, "gopherRepetition.maxDuplicateLineCharacters");
        Shares(faults, MaxTopNgrams, "gopherRepetition.maxTopNgrams");
        Shares(faults, MaxDuplicateNgrams, "gopherRepetition.maxDuplicateNgrams");
    }

    private static void Shares(FilterFaults faults, IReadOnlyList<double> values, string field)
    {
        for (int i = 0; i < values.Count; i++)
        {
            faults.Share(values[i], $"{field}[{i}]");
        }
    }
}

/// <summary>The rules of C4, each to be turned off.</summary>
public sealed record C4Options
{
    /// <summary>Lines must end with a mark that ends a sentence.</summary>
    public bool RequireTerminalPunctuation { get; init; } = true;

    /// <summary>Words a line at least. Not asked in scripts without spaces.</summary>
    public int MinWordsPerLine { get; init; } = 3;

    /// <summary>Sentences at least, in the lines that are left.</summary>
    public int MinSentences { get; init; } = 5;

    /// <summary>A line with a longer word is removed, UTF-16 units.</summary>
    public int MaxWordLength { get; init; } = 1_000;

    /// <summary>Remove lines that ask for JavaScript or speak of cookies, terms of use or privacy policies.</summary>
    public bool RemovePolicyLines { get; init; } = true;

    /// <summary>Remove documents with "lorem ipsum".</summary>
    public bool RemoveLoremIpsum { get; init; } = true;

    /// <summary>Remove documents with a curly brace: program text.</summary>
    public bool RemoveCurlyBraces { get; init; } = true;

    internal void Check(FilterFaults faults)
    {
        faults.Require(MinWordsPerLine >= 0, "c4.minWordsPerLine", MinWordsPerLine, "0 or more");
        faults.Require(MinSentences >= 0, "c4.minSentences", MinSentences, "0 or more");
        faults.Require(MaxWordLength >= 1, "c4.maxWordLength", MaxWordLength, "1 or more");
    }
}
