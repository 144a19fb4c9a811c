using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Corpus.Filters;
using Xunit;

namespace ElectraPipeline.Training.Tests.Corpus;

/// <summary>Each rule on a text that just passes and one that just does not.</summary>
public sealed class FilterRuleTests
{
    [Theory]
    [InlineData("too few", 3, "too-few-characters")]
    [InlineData("one two three four five", 3, null)]
    [InlineData("abcdefghijklmnopq rst", 3, "too-few-words")]
    [InlineData("one two three four five six seven eight nine ten eleven", 3, "too-many-words")]
    [InlineData("abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz", 3, "too-many-characters")]
    public void Lengths_have_bounds(string text, int minWords, string? reason)
    {
        var options = new LengthFilterOptions
        {
            MinWords = minWords,
            MaxWords = 10,
            MinCharacters = 20,
            MaxCharacters = 70,
        };
        Assert.Equal(reason, Reason(new LengthFilter(options), text));
    }

    [Fact]
    public void Prose_passes_all_rules()
    {
        string prose = Varied(12);
        Assert.Null(Reason(new GopherQualityFilter(new GopherQualityOptions()), prose));
        Assert.Null(Reason(new GopherRepetitionFilter(new GopherRepetitionOptions()), prose));
        Assert.Null(Reason(new C4Filter(new C4Options()), prose));
    }

    [Theory]
    [InlineData("words-too-short", "to be or of a I it x")]
    [InlineData("words-too-long", "the and incomprehensibilities counterrevolutionaries")]
    [InlineData("too-many-hashes", "the house and # tree")]
    [InlineData("too-many-ellipses", "the house and... tree")]
    [InlineData("too-few-letters", "the house and 123 456 789 012")]
    [InlineData("too-few-stop-words", "house tree garden window street")]
    public void Quality_rules_name_what_fails(string reason, string words)
    {
        string text = string.Join(' ', Enumerable.Repeat(words, 20));
        Assert.Equal(reason, Reason(new GopherQualityFilter(new GopherQualityOptions()), text));
    }

    [Fact]
    public void Quality_rules_count_words_and_look_at_lines()
    {
        var filter = new GopherQualityFilter(new GopherQualityOptions { MaxWords = 60 });
        Assert.Equal("too-few-words", Reason(filter, string.Join(' ', Enumerable.Repeat("the and", 24)) + " word"));
        Assert.Equal("too-many-words", Reason(filter, string.Join(' ', Enumerable.Repeat("the and", 30)) + " word"));
        Assert.Equal("bullet-lines", Reason(filter, string.Join('\n', Enumerable.Repeat("- the house and tree", 13))));
        Assert.Equal(
            "ellipsis-lines",
            Reason(filter, string.Join('\n', Enumerable.Range(0, 12).Select(i => "the red house and tree" + (i < 4 ? "…" : "."))))
        );
        Assert.Null(
            Reason(
                filter,
                string.Join('\n', Enumerable.Range(0, 13).Select(i => (i < 10 ? "- " : "") + "the house and tree" + (i < 3 ? "…" : ".")))
            )
        );
    }

    [Theory]
    [InlineData("Der Hund und die Katze liegen heute lange in der Sonne vor unserem Haus.")]
    [InlineData("Le chien et le chat de la voisine dorment les yeux ouverts sous un arbre.")]
    [InlineData("Собака и кошка не спят в доме, а на что они смотрят, не знает никто.")]
    [InlineData("我们今天在学校里学习了很多有意思的东西，他说这不是他的书。")]
    [InlineData("今日は学校に行って、友達と本を読んだのが楽しかった。")]
    public void Stop_words_are_those_of_many_languages(string sentence)
    {
        var filter = new GopherQualityFilter(new GopherQualityOptions { MinWords = 5 });
        Assert.Null(Reason(filter, sentence));
        var english = new GopherQualityFilter(new GopherQualityOptions { MinWords = 5, Languages = ["en"] });
        Assert.Equal("too-few-stop-words", Reason(english, sentence));
    }

    [Fact]
    public void Repeated_lines_are_found_by_number_and_by_size()
    {
        var filter = new GopherRepetitionFilter(new GopherRepetitionOptions { MaxTopNgrams = [], MaxDuplicateNgrams = [] });
        string[] lines = Varied(7).Split('\n');
        Assert.Equal("duplicate-lines", Reason(filter, string.Join('\n', [.. lines, "a", "a", "a", "a", "a"])));
        Assert.Equal("duplicate-line-characters", Reason(filter, string.Join('\n', [.. lines, lines[0], lines[1]])));
        Assert.Null(Reason(filter, string.Join('\n', [.. lines, lines[0]])));
    }

    [Theory]
    [InlineData("top-2-gram", 2, 6)]
    [InlineData("top-3-gram", 3, 4)]
    [InlineData("top-4-gram", 4, 3)]
    public void A_frequent_n_gram_is_found(string reason, int length, int times)
    {
        string[] phrase = ["aaaaaa", "bbbbbb", "cccccc", "dddddd"];
        var words = Enumerable
            .Range(0, times)
            .SelectMany(i => phrase.Take(length).Append($"other{i}"))
            .Concat(Enumerable.Range(0, 36).Select(i => $"word{i:00}"));
        Assert.Equal(reason, Reason(new GopherRepetitionFilter(new GopherRepetitionOptions()), string.Join(' ', words)));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(10)]
    public void Long_repeated_n_grams_are_found(int length)
    {
        double[] limits = [1, 1, 1, 1, 1, 1];
        limits[length - 5] = 0.1;
        var filter = new GopherRepetitionFilter(new GopherRepetitionOptions { MaxTopNgrams = [], MaxDuplicateNgrams = limits });
        string[] phrase = [.. Enumerable.Range(0, length).Select(i => $"phrase{i:00}")];
        string[] rest = [.. Enumerable.Range(0, 60).Select(i => $"word{i:00}xx")];
        Assert.Equal(
            $"duplicate-{length}-grams",
            Reason(filter, string.Join(' ', [.. phrase, .. rest[..30], .. phrase, .. rest[30..], .. phrase]))
        );
        Assert.Null(Reason(filter, string.Join(' ', [.. phrase[1..], .. rest[..30], .. phrase[1..], .. rest[30..], .. phrase[1..]])));
    }

    [Theory]
    [InlineData("lorem-ipsum", "Here stands Lorem Ipsum dolor.")]
    [InlineData("curly-brace", "if (x) { return y; }.")]
    public void C4_removes_what_is_no_prose(string reason, string line) =>
        Assert.Equal(reason, Reason(new C4Filter(new C4Options()), Varied(8) + "\n" + line));

    [Theory]
    [InlineData("no-terminal-punctuation", "Home and garden and news")]
    [InlineData("no-terminal-punctuation", "Read more about our houses...")]
    [InlineData("policy-line", "Please turn on JavaScript to see this page.")]
    [InlineData("policy-line", "This site uses cookies for its shop.")]
    [InlineData("too-few-words", "Log in.")]
    public void C4_removes_lines_that_are_no_sentences(string reason, string line)
    {
        string prose = Varied(6);
        FilterVerdict verdict = Judge(new C4Filter(new C4Options()), prose + "\n" + line);
        Assert.Equal((null, prose), (verdict.Reason, verdict.Text));
        Assert.Equal(new RemovedLine(reason, line), Assert.Single(verdict.RemovedLines));
    }

    [Theory]
    [InlineData("One is here. Two is here! Three is here? \"Four is here.\" Five is here.", null)]
    [InlineData("One is here. Two is here! Three is here? Version 1.2.3 is the fourth.", "too-few-sentences")]
    [InlineData("一是这样。二是这样！三是这样？四是这样。五是这样。", null)]
    public void C4_counts_sentences(string text, string? reason) => Assert.Equal(reason, Reason(new C4Filter(new C4Options()), text));

    [Theory]
    [InlineData("Don’t stop, it's 5 o'clock!", "Don’t|stop|it's|5|o'clock")]
    [InlineData("'quoted' x' y", "quoted|x|y")]
    [InlineData("我在 C# 学", "我|在|C|学")]
    [InlineData("naïve cafe\u0301", "naïve|cafe\u0301")]
    [InlineData("\U00020000\U00020001a", "\U00020000|\U00020001|a")]
    [InlineData("ที่นี่", "ที่|นี่")]
    public void Words_are_runs_of_letters_or_single_ones(string text, string words)
    {
        var found = TextWords.Of(text);
        Assert.Equal(words.Split('|'), Enumerable.Range(0, found.Count).Select(word => found[word].ToString()));
    }

    /// <summary>Different sentences with the stop words that English prose has.</summary>
    private static string Varied(int sentences)
    {
        string[] nouns =
        [
            "garden",
            "harbour",
            "mountain",
            "library",
            "kitchen",
            "railway",
            "village",
            "theatre",
            "orchard",
            "factory",
            "museum",
            "island",
        ];
        string[] verbs =
        [
            "grew",
            "shone",
            "waited",
            "opened",
            "slept",
            "moved",
            "changed",
            "closed",
            "appeared",
            "burned",
            "settled",
            "vanished",
        ];
        string[] ends =
        [
            "early",
            "behind us",
            "without warning",
            "for years",
            "last summer",
            "before noon",
            "at night",
            "once more",
            "in silence",
            "there",
            "slowly",
            "again",
        ];
        return string.Join(
            '\n',
            Enumerable
                .Range(0, sentences)
                .Select(i =>
                    $"{(i % 2 == 0 ? "That" : "Our")} {nouns[i % 12]} {verbs[i * 5 % 12]} {ends[i * 7 % 12]}, and "
                    + $"{(i % 3 == 0 ? "nobody" : "everyone")} saw {nouns[(i + 5) % 12]}s {verbs[(i * 5 + 3) % 12]} with delight."
                )
        );
    }

    private static string? Reason(IDocumentFilter filter, string text) => Judge(filter, text).Reason;

    private static FilterVerdict Judge(IDocumentFilter filter, string text) =>
        filter.Judge(new FilteredDocument(new Document("id", text, "source"), false));
}
