using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.Architecture;

/// <summary>What `dotnet csharpier format .` cannot do by itself: it breaks no texts and no comments.</summary>
public sealed class FormatTests
{
    private const int LongestLine = 140;

    [Fact]
    public void NoLineOfCodeIsLongerThanItsFileMayBe()
    {
        string[] files =
        [
            .. new[] { "Cli", "Dashboard", "Jobs", "Storage", "Training", "bench", "build", "tests" }
                .SelectMany(folder =>
                    Directory.EnumerateFiles(Path.Combine(SharedData.RepositoryRoot, folder), "*.cs", SearchOption.AllDirectories)
                )
                .Select(file => Path.GetRelativePath(SharedData.RepositoryRoot, file))
                .Where(file => !file.Split('/').Intersect(["bin", "obj"]).Any()),
        ];
        Assert.True(files.Length > 500, $"{files.Length} files");
        Assert.Equal(
            [],
            files.SelectMany(file =>
                File.ReadLines(Path.Combine(SharedData.RepositoryRoot, file))
                    .Select((line, index) => (Line: line, Number: index + 1))
                    .Where(line => line.Line.Length > LongestLine)
                    .Select(line => $"{file}:{line.Number}: {line.Line.Length} characters")
            )
        );
    }
}
