using System.CommandLine;
using System.IO.Compression;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Bench;

/// <summary>Counts the lines of all corpora on which our tokenizer and the reference one differ.</summary>
internal static class AgreementCommand
{
    public static Command Create()
    {
        var folder = new Option<string>("--input")
        {
            DefaultValueFactory = _ => "../shared/data/corpora",
            Description = "folder of texts, .gz or not",
        };
        var vocabularies = new Option<string>("--vocabularies")
        {
            DefaultValueFactory = _ => "../shared/data/vocab",
            Description = "folder with a folder of vocab.txt, .gz or not, for each model; uncased if its name says so",
        };
        var command = new Command("agreement", "Lines on which our tokenizer and the reference one differ, over all corpora")
        {
            folder,
            vocabularies,
        };
        command.SetAction(parsed =>
        {
            string[] files =
            [
                .. Directory
                    .EnumerateFiles(parsed.GetRequiredValue(folder), "*", SearchOption.AllDirectories)
                    .Where(file => Path.GetExtension(file) != ".md")
                    .Order(StringComparer.Ordinal),
            ];
            Console.WriteLine("| vocabulary | files | lines | MB | tokens | different lines |\n|---|--:|--:|--:|--:|--:|");
            return Directory
                .EnumerateFiles(parsed.GetRequiredValue(vocabularies), "vocab.txt*", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
                .Sum(path => Compare(path, files));
        });
        return command;
    }

    /// <summary>How many lines differ; the first is printed.</summary>
    private static int Compare(string vocabularyPath, string[] files)
    {
        string name = Path.GetFileName(Path.GetDirectoryName(vocabularyPath))!;
        var options = new TokenizerOptions { LowerCase = name.Contains("uncased", StringComparison.Ordinal) };
        Vocabulary vocabulary = new(VocabularyFile.Parse(Read(vocabularyPath), vocabularyPath));
        var ours = new WordPieceTokenizer(vocabulary, options);
        var reference = new ReferenceTokenizer(vocabulary, options);
        long lines = 0,
            bytes = 0,
            tokens = 0;
        int differences = 0;
        Parallel.ForEach(
            files,
            file =>
            {
                ReadOnlyMemory<byte> rest = Read(file);
                Interlocked.Add(ref bytes, rest.Length);
                var expected = new List<int>();
                var actual = new List<int>();
                long read = 0,
                    found = 0;
                while (LinePieces.TryTakeLine(ref rest, out ReadOnlyMemory<byte> line))
                {
                    expected.Clear();
                    actual.Clear();
                    reference.Encode(line.Span, expected);
                    ours.Encode(line.Span, actual);
                    read++;
                    found += actual.Count;
                    if (!expected.SequenceEqual(actual) && Interlocked.Increment(ref differences) == 1)
                    {
                        Console.WriteLine(
                            $"{file}, line {read}: {string.Join(' ', expected)} by the reference, {string.Join(' ', actual)} by ours"
                        );
                    }
                }

                Interlocked.Add(ref lines, read);
                Interlocked.Add(ref tokens, found);
            }
        );
        Console.WriteLine($"| {name} | {files.Length} | {lines:N0} | {bytes / 1e6:F1} | {tokens:N0} | {differences:N0} |");
        return differences;
    }

    private static byte[] Read(string path)
    {
        using Stream file = File.OpenRead(path);
        using Stream source = Path.GetExtension(path) == ".gz" ? new GZipStream(file, CompressionMode.Decompress) : file;
        using var bytes = new MemoryStream();
        source.CopyTo(bytes);
        return bytes.ToArray();
    }
}
