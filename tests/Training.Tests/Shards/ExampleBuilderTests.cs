using ElectraPipeline.Training.Shards;
using Xunit;

namespace ElectraPipeline.Training.Tests.Shards;

/// <summary>Documents packed into examples, beside what the official code does.</summary>
public sealed class ExampleBuilderTests
{
    [Theory]
    [InlineData("carry")]
    [InlineData("discard")]
    public void CarryKeepsEveryTokenAndNoExampleIsTooLong(string overflow)
    {
        var options = new ExampleOptions
        {
            SequenceLength = 24,
            Overflow = overflow,
            ShortTargetProbability = 0.3,
        };
        var builder = new ExampleBuilder(options, 2, 3);
        var random = new CounterRandom(9, 9);
        for (int document = 0; document < 200; document++)
        {
            int next = 100;
            var sentences = Enumerable
                .Range(0, random.Next(12))
                .Select(_ => Enumerable.Range(0, random.Next(40)).Select(_ => next++).ToArray())
                .ToList();
            var examples = Build(builder, sentences, 1, (ulong)document);
            int[] tokens = [.. examples.SelectMany(example => example.Ids).Where(id => id >= 100).Order()];

            Assert.All(examples, example => Assert.True(example.Ids.Length <= 24 && example.Ids[0] == 2 && example.Ids[^1] == 3));
            Assert.All(
                examples,
                example => Assert.Equal(example.SecondSegmentStart == example.Ids.Length ? 1 : 2, example.Ids.Count(id => id == 3))
            );
            Assert.Equal(tokens.Distinct(), tokens);
            if (overflow == "carry")
            {
                Assert.Equal(Enumerable.Range(100, next - 100), tokens);
            }
        }
    }

    [Fact]
    public void ALongSentenceIsCutAsTheOfficialCodeCuts()
    {
        int[] sentence = [.. Enumerable.Range(100, 5_000)];
        var builder = new ExampleBuilder(new ExampleOptions { Overflow = "discard" }, 2, 3);
        var example = Assert.Single(Build(builder, [sentence], 1, 1));
        Assert.Equal([2, .. sentence[..126], 3], example.Ids);
        Assert.Equal(128, example.SecondSegmentStart);
    }

    /// <summary>100 tokens fill the first segment past its target of 62; the second gets 128 - 100 - 3 of the rest.</summary>
    [Fact]
    public void ASecondSegmentGetsTheRoomThatIsLeft()
    {
        int[] text = [.. Enumerable.Range(100, 230)];
        int[][] document = [text[..100], text[100..200], text[200..]];
        var options = new ExampleOptions
        {
            Overflow = "discard",
            SingleSegmentProbability = 0,
            ShortTargetProbability = 0,
        };
        var discarded = Build(new ExampleBuilder(options, 2, 3), document, 1, 1);
        Assert.Equal([2, .. text[..100], 3, .. text[100..125], 3], discarded[0].Ids);
        Assert.Equal(102, discarded[0].SecondSegmentStart);
        Assert.Equal([2, .. text[200..], 3], discarded[1].Ids);

        // Carried tokens are a sentence of their own: it is past the target, so the next sentence is the second segment.
        var carried = Build(new ExampleBuilder(options with { Overflow = "carry" }, 2, 3), document, 1, 1);
        Assert.Equal([2, .. text[125..200], 3, .. text[200..], 3], carried[1].Ids);
        Assert.Equal(2, carried.Count);
    }

    [Fact]
    public void ProbabilitiesAreMet()
    {
        var document = Enumerable.Range(0, 10_000).Select(i => Enumerable.Range(i * 13, 13).ToArray());
        var examples = Build(new ExampleBuilder(new ExampleOptions(), 2, 3), document, 1, 3);
        Assert.InRange(examples.Count(example => example.SecondSegmentStart == example.Ids.Length) / (double)examples.Count, 0.08, 0.14);
        Assert.InRange(examples.Count(example => example.Ids.Length < 110) / (double)examples.Count, 0.02, 0.07);
    }

    [Theory]
    [InlineData("carry", 24, 0.3)]
    [InlineData("discard", 24, 0.3)]
    [InlineData("carry", 5, 0.5)]
    [InlineData("discard", 6, 0.5)]
    [InlineData("carry", 128, 0.05)]
    public void EveryExampleIsTheOneOfThePlainRules(string overflow, int sequenceLength, double shortTargets)
    {
        var options = new ExampleOptions
        {
            SequenceLength = sequenceLength,
            Overflow = overflow,
            ShortTargetProbability = shortTargets,
            SingleSegmentProbability = 0.2,
        };
        var builder = new ExampleBuilder(options, 2, 3);
        var plain = new PlainExampleBuilder(options, 2, 3);
        var random = new CounterRandom(4, (ulong)sequenceLength);
        for (int document = 0; document < 300; document++)
        {
            int longest = random.Next(3) == 0 ? 4 * sequenceLength : 12;
            List<int[]> sentences =
            [
                .. Enumerable
                    .Range(0, random.Next(30))
                    .Select(_ => Enumerable.Range(0, random.Next(longest)).Select(_ => 5 + random.Next(1_000)).ToArray()),
            ];
            List<Example> expected = [.. plain.Build(sentences, 7, (ulong)document)];
            List<Example> actual = Build(builder, sentences, 7, (ulong)document);
            Assert.Equal(expected.Select(example => example.SecondSegmentStart), actual.Select(example => example.SecondSegmentStart));
            Assert.Equal(expected.Select(example => example.Ids), actual.Select(example => example.Ids));
        }
    }

    private static List<Example> Build(ExampleBuilder builder, IEnumerable<int[]> sentences, ulong seed, ulong hash)
    {
        var document = new EncodedDocument();
        foreach (int[] sentence in sentences)
        {
            document.Add(sentence);
        }

        var examples = new List<Example>();
        builder.Build(document, seed, hash, (ids, second) => examples.Add(new Example(ids.ToArray(), second)));
        return examples;
    }
}
