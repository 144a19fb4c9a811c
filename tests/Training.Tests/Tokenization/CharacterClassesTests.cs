using System.Globalization;
using System.Text;
using System.Text.Json;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Tokenization;
using Xunit;

namespace ElectraPipeline.Training.Tests.Tokenization;

/// <summary>The checked-in table says of every Unicode scalar what the recorded classes say.</summary>
public sealed class CharacterClassesTests
{
    [Fact]
    public void EveryScalarHasTheRecordedClass()
    {
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllBytes(SharedData.Require("golden/tokenization/character-classes.json")));
        JsonElement root = golden.RootElement;
        CharacterClasses classes = CharacterClasses.Instance;
        AssertSame(root.GetProperty("removed"), classes.Removed);
        AssertSame(root.GetProperty("space"), classes.Spaces);
        AssertSame(root.GetProperty("cjk"), classes.Ideographs);
        AssertSame(root.GetProperty("mn"), classes.Marks);
        AssertSame(root.GetProperty("punct"), classes.Punctuation);
        AssertSame(root.GetProperty("lowercase"), classes.LowerCase);
        AssertSame(root.GetProperty("nfd_then_strip_mn"), classes.Decompositions);
    }

    private static void AssertSame(JsonElement golden, IReadOnlyList<(int First, int Last)> ranges) =>
        Assert.Equal(
            golden.EnumerateArray().Select(range => range.GetString()!),
            ranges.Select(range => range.First == range.Last ? $"{range.First:x}" : $"{range.First:x}-{range.Last:x}")
        );

    private static void AssertSame(JsonElement golden, Dictionary<int, int[]> map)
    {
        Dictionary<int, string> expected = golden
            .EnumerateObject()
            .ToDictionary(entry => int.Parse(entry.Name, NumberStyles.HexNumber), entry => entry.Value.GetString()!);
        Assert.Equal(
            expected,
            map.ToDictionary(entry => entry.Key, entry => string.Concat(entry.Value.Select(scalar => new Rune(scalar))))
        );
    }
}
