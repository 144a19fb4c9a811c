using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Corpus.Filters;
using Xunit;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

/// <summary>Near-duplicates: planted ones with known edits, unrelated documents, and ones that share their subject only.</summary>
public sealed class FilterNearDuplicateTests : IDisposable
{
    private const int Families = 400;
    private const int Words = 300;
    private const int Pairs = 150;
    private const int LongText = 1_000;
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Planted_duplicates_are_found_and_nothing_else()
    {
        var filter = new NearDuplicateFilter(new NearDuplicateOptions());
        int[] found = new int[4];
        int wrong = 0;
        for (int family = 0; family < Families; family++)
        {
            string[] original = Text(family);
            wrong += IsRemoved(filter, original) ? 1 : 0;
            for (int edits = 1; edits <= 3; edits++)
            {
                found[edits] += IsRemoved(filter, Edited(original, family, edits)) ? 1 : 0;
            }
        }

        // A changed word changes five shingles: Jaccard 0.97, 0.94 and 0.91 with 1, 2 and 3 of 300.
        double recall = found.Sum() / (3.0 * Families);
        double precision = (double)found.Sum() / (found.Sum() + wrong);
        TestContext.Current.SendDiagnosticMessage(
            $"recall {recall:0.0000} ({string.Join(", ", found[1..])} of {Families}), precision {precision:0.0000}"
        );
        Assert.True(recall > 0.995, $"recall {recall}");
        Assert.True(precision > 0.995, $"precision {precision}");
    }

    [Theory]
    [InlineData(6)]
    [InlineData(10)]
    [InlineData(16)]
    [InlineData(30)]
    public void The_chance_to_be_found_is_that_of_the_formula(int edits)
    {
        int found = 0;
        double expected = 0;
        for (int family = 0; family < Families; family++)
        {
            var filter = new NearDuplicateFilter(new NearDuplicateOptions());
            string[] original = Text(family);
            string[] edited = Edited(original, family, edits);
            IsRemoved(filter, original);
            found += IsRemoved(filter, edited) ? 1 : 0;
            expected += 1 - Math.Pow(1 - Math.Pow(Jaccard(original, edited), 8), 14);
        }

        TestContext.Current.SendDiagnosticMessage($"{edits} edits: {found} of {Families} found, {expected:0.0} expected");

        // Four standard deviations of a binomial distribution, of which 0.25 is the largest variance.
        Assert.InRange(found, expected - 4 * Math.Sqrt(Families * 0.25), expected + 4 * Math.Sqrt(Families * 0.25));
    }

    /// <summary>
    /// Words are replaced, put in, taken out and moved in runs, at random places, until a pair has the wanted similarity. Among them stand
    /// texts of the same subject, a quarter of which is another text's, so that they share shingles and are no duplicates.
    /// </summary>
    [Fact]
    public void Pairs_are_found_by_their_true_similarity()
    {
        var table = new List<string>
        {
            "| Jaccard | pairs | found | recall | by the formula | wrongly removed | precision |\n|--:|--:|--:|--:|--:|--:|--:|",
        };
        foreach (int percent in Enumerable.Range(10, 10).Select(step => 5 * step))
        {
            var filter = new NearDuplicateFilter(new NearDuplicateOptions());
            (int found, int wrong, double expected) = (0, 0, 0);
            for (int pair = 0; pair < Pairs; pair++)
            {
                var random = new CounterRandom(11, (ulong)((percent * Pairs) + pair));
                List<int> original = [.. Enumerable.Range(0, LongText).Select(_ => random.Next(3_000))];
                List<int> related =
                [
                    .. original.Take(LongText / 4),
                    .. Enumerable.Range(0, LongText * 3 / 4).Select(_ => random.Next(3_000)),
                ];
                List<int> edited = EditedTo(percent / 100.0, original, random, out double similarity);
                Assert.InRange(similarity, (percent / 100.0) - 0.03, percent / 100.0);
                expected += 1 - Math.Pow(1 - Math.Pow(similarity, 8), 14);
                wrong += IsRemoved(filter, Spelled(original)) ? 1 : 0;
                wrong += IsRemoved(filter, Spelled(related)) ? 1 : 0;
                found += IsRemoved(filter, Spelled(edited)) ? 1 : 0;
            }

            double precision = found / (double)Math.Max(1, found + wrong);
            table.Add(
                $"| {percent / 100.0:0.00} | {Pairs} | {found} | {found / (double)Pairs:0.000} | {expected / Pairs:0.000} | {wrong} "
                    + $"| {precision:0.000} |"
            );
            Assert.InRange(found, expected - (4 * Math.Sqrt(Pairs * 0.25)), expected + (4 * Math.Sqrt(Pairs * 0.25)));
            Assert.InRange(wrong, 0, Pairs / 100);
        }

        TestContext.Current.SendDiagnosticMessage(string.Join('\n', table));
    }

    [Fact]
    public void The_first_in_source_order_stays_whatever_the_batches()
    {
        var documents = Enumerable.Range(0, 2_000).Select(i => string.Join(' ', Edited(Text(i % 100), i, i / 100 == 0 ? 0 : 1))).ToList();
        folder.Write("b.txt", string.Join("\n\n", documents));
        folder.Write("a.txt", string.Join("\n\n", documents.Skip(1_000)));
        var filters = new CorpusFilterOptions { NearDuplicates = new NearDuplicateOptions() };
        CorpusOptions options = Options(folder["b.txt"], folder["a.txt"]) with { Filters = filters, Parts = 1 };
        IngestResult result = Ingest(options, folder["one"]);
        Ingest(options, folder["two"]);
        Assert.Equal(
            documents.Take(100),
            DocumentParts.List(folder["one"]).SelectMany(DocumentParts.Read).Select(document => document.Text)
        );
        Assert.Equal((100L, 1_900L, 1_000L), (result.Documents, result.Manifest.Filters!.Documents, result.Manifest.Duplicates));
        foreach (string path in Directory.GetFiles(folder["one"]))
        {
            Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(Path.Combine(folder["two"], Path.GetFileName(path))));
        }
    }

    [Theory]
    [InlineData("One two three.", "ONE, two: three!", true)]
    [InlineData("One two three.", "One two four.", false)]
    [InlineData("?!", "...", false)]
    public void Short_texts_are_one_shingle(string first, string second, bool removed)
    {
        var filter = new NearDuplicateFilter(new NearDuplicateOptions());
        Assert.False(IsRemoved(filter, [first]));
        Assert.Equal(removed, IsRemoved(filter, [second]));
    }

    private static bool IsRemoved(NearDuplicateFilter filter, string[] words)
    {
        var document = new FilteredDocument(new Document("id", string.Join(' ', words), "source"), false);
        filter.Prepare(document);
        return filter.Judge(document).Reason is not null;
    }

    private static string[] Text(int family)
    {
        var random = new CounterRandom(7, (ulong)family);
        return [.. Enumerable.Range(0, Words).Select(_ => $"w{random.NextUInt64() % 5_000}")];
    }

    /// <summary>Replaces words at evenly spread places, so that no two edits share a shingle unless there are many.</summary>
    private static string[] Edited(string[] original, int family, int edits)
    {
        string[] edited = [.. original];
        for (int i = 0; i < edits; i++)
        {
            edited[(family + i * Words / edits) % Words] = $"edit{family}x{edits}x{i}";
        }

        return edited;
    }

    private static string[] Spelled(List<int> words) => [.. words.Select(word => $"w{word}")];

    private static List<int> EditedTo(double wanted, List<int> original, CounterRandom random, out double similarity)
    {
        var shingles = ShinglesOf(original);
        List<int> edited = [.. original];
        similarity = 1;
        for (int edit = 0; similarity > wanted; edit++)
        {
            int at = random.Next(edited.Count - 20);
            switch (random.Next(4))
            {
                case 0:
                    edited[at] = 1_000_000 + edit;
                    break;
                case 1:
                    edited.Insert(at, 1_000_000 + edit);
                    break;
                case 2:
                    edited.RemoveAt(at);
                    break;
                default:
                    List<int> moved = edited.GetRange(at, 6);
                    edited.RemoveRange(at, 6);
                    edited.InsertRange(random.Next(edited.Count), moved);
                    break;
            }

            var others = ShinglesOf(edited);
            int shared = others.Count(shingles.Contains);
            similarity = (double)shared / (shingles.Count + others.Count - shared);
        }

        return edited;
    }

    private static HashSet<(int, int, int, int, int)> ShinglesOf(List<int> words) =>
        [.. Enumerable.Range(0, words.Count - 4).Select(i => (words[i], words[i + 1], words[i + 2], words[i + 3], words[i + 4]))];

    private static double Jaccard(string[] first, string[] second)
    {
        HashSet<string> a = Shingles(first);
        HashSet<string> b = Shingles(second);
        int shared = a.Count(b.Contains);
        return (double)shared / (a.Count + b.Count - shared);
    }

    private static HashSet<string> Shingles(string[] words) =>
        [.. Enumerable.Range(0, words.Length - 4).Select(start => string.Join(' ', words[start..(start + 5)]))];
}
