using System.Text.RegularExpressions;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.Architecture;

/// <summary>What the documents promise is held by tests that are there.</summary>
public sealed partial class StatementTests
{
    private static readonly string Tests = Path.Combine(SharedData.RepositoryRoot, "tests");

    [Theory]
    [InlineData("security.md", 15)]
    [InlineData("durability.md", 15)]
    public void EveryTestThatADocumentNamesIsThere(string document, int atLeast)
    {
        string text = File.ReadAllText(Path.Combine(SharedData.RepositoryRoot, "docs", document));
        string[] named = [.. TestClass().Matches(text).Select(match => match.Groups[1].Value).Distinct()];
        Assert.True(named.Length >= atLeast, $"{named.Length} tests");
        Assert.Equal([], named.Where(name => !Directory.EnumerateFiles(Tests, $"{name}.cs", SearchOption.AllDirectories).Any()));
    }

    [Theory]
    [InlineData("security.md", 15)]
    [InlineData("durability.md", 9)]
    public void EveryStatementNamesATestOfTheProjectThatItIsIn(string document, int atLeast)
    {
        string[] rows =
        [
            .. File.ReadLines(Path.Combine(SharedData.RepositoryRoot, "docs", document)).Where(line => line.StartsWith("| ")).Skip(1),
        ];
        Assert.True(rows.Length >= atLeast, $"{rows.Length} statements");
        foreach (string row in rows)
        {
            foreach (string part in row.TrimEnd('|', ' ').Split(" | ")[1].Split(';'))
            {
                string[] names = [.. TestName().Matches(part).Select(match => match.Groups[1].Value)];
                Assert.True(names.Length >= 2, row);
                Assert.All(
                    names[1..],
                    name =>
                        Assert.NotEmpty(Directory.EnumerateFiles(Path.Combine(Tests, names[0]), $"{name}.cs", SearchOption.AllDirectories))
                );
            }
        }
    }

    [GeneratedRegex("`([A-Z][A-Za-z0-9]*Tests)`")]
    private static partial Regex TestClass();

    [GeneratedRegex("`([A-Za-z0-9.]+)`")]
    private static partial Regex TestName();
}
