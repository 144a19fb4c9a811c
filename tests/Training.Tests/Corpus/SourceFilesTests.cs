using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
using Xunit;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

public sealed class SourceFilesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public SourceFilesTests()
    {
        folder.Write("b.txt", "abc");
        folder.Write("a/z.jsonl", "{}");
        folder.Write("a/deep/y.txt", "y");
        folder.Write("B.txt", "upper");
        folder.Write(".hidden/x.txt", "x");
        folder.Write("a/.x.swp", "x");
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_folder_is_read_whole_in_ordinal_order_without_hidden_files()
    {
        IReadOnlyList<SourceFile> files = SourceFiles.Resolve(Options(folder.Path));
        Assert.Equal(["B.txt", "a/deep/y.txt", "a/z.jsonl", "b.txt"], files.Select(file => file.Name));
        SourceFile b = files[^1];
        Assert.Equal(
            (folder["b.txt"], 3L, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (b.Path, b.Length, b.Sha256)
        );
    }

    [Fact]
    public void Globs_and_files_keep_the_order_given_and_each_file_comes_once()
    {
        IReadOnlyList<SourceFile> files = SourceFiles.Resolve(Options(folder["b.txt"], folder["**/*.txt"], folder["a/*.jsonl"]));
        Assert.Equal(["b.txt", "B.txt", "a/deep/y.txt", "z.jsonl"], files.Select(file => file.Name));
    }

    [Fact]
    public void Links_are_followed_inside_the_folder_and_named_where_they_lead_out_of_it_nowhere_or_around()
    {
        using var elsewhere = new TemporaryFolder();
        elsewhere.Write("secret.txt", "secret");
        elsewhere.Write("deep/more.txt", "more");
        File.CreateSymbolicLink(folder["a/alias.txt"], "../b.txt");
        Directory.CreateSymbolicLink(folder["shown"], ".hidden");
        File.CreateSymbolicLink(folder["a/out.txt"], elsewhere["secret.txt"]);
        File.CreateSymbolicLink(folder["nowhere.txt"], folder["missing.txt"]);
        Directory.CreateSymbolicLink(folder["out"], elsewhere.Path);
        Directory.CreateSymbolicLink(folder["a/up"], "..");
        Directory.CreateSymbolicLink(folder[".hidden/again"], "../a");

        var links = new List<string>();
        IReadOnlyList<SourceFile> files = SourceFiles.Resolve(Options(folder.Path), links.Add);
        Assert.Equal(["B.txt", "a/alias.txt", "a/deep/y.txt", "a/z.jsonl", "b.txt", "shown/x.txt"], files.Select(file => file.Name));
        Assert.Equal(["a/out.txt", "a/up", "nowhere.txt", "out", "shown/again"], links);

        // A link to a file that a pattern does not match is not told of; what a path says in full is read.
        links.Clear();
        Assert.Equal(["z.jsonl"], SourceFiles.Resolve(Options(folder["a/*.jsonl"]), links.Add).Select(file => file.Name));
        Assert.Equal(["up"], links);
        links.Clear();
        Assert.Equal(
            ["deep/more.txt", "secret.txt", "out.txt"],
            SourceFiles.Resolve(Options(folder["out"], folder["a/out.txt"]), links.Add).Select(file => file.Name)
        );
        Assert.Equal([], links);

        Directory.CreateDirectory(folder["only"]);
        File.CreateSymbolicLink(folder["only/out.txt"], elsewhere["secret.txt"]);
        var thrown = Assert.Throws<PermanentException>(() => SourceFiles.Resolve(Options(folder["only"])));
        Assert.Contains("holds no files but links that lead elsewhere, which are not followed (out.txt)", thrown.Message);
    }

    [Theory]
    [InlineData("nowhere", "/nowhere of corpus.paths is neither a file nor a folder; its folder holds: .hidden, B.txt, a, b.txt")]
    [InlineData("nowhere/*.txt", "/nowhere of corpus.paths is neither a file nor a folder")]
    [InlineData("a/*.parquet", "/a/*.parquet of corpus.paths; only * and **")]
    public void A_path_that_leads_nowhere_is_named(string path, string expected)
    {
        var thrown = Assert.Throws<PermanentException>(() => SourceFiles.Resolve(Options(folder[path])));
        Assert.Contains(folder.Path, thrown.Message);
        Assert.Contains(expected, thrown.Message);
    }

    [Fact]
    public void An_empty_folder_and_an_empty_list_are_refused()
    {
        Directory.CreateDirectory(folder["empty"]);
        Assert.Contains(
            "/empty of corpus.paths holds no files",
            Assert.Throws<PermanentException>(() => SourceFiles.Resolve(Options(folder["empty"]))).Message
        );
        Assert.Contains("corpus.paths is empty", Assert.Throws<PermanentException>(() => SourceFiles.Resolve(Options())).Message);
    }

    [Fact]
    public void The_word_dotnet_docs_finds_each_assembly_once()
    {
        IReadOnlyList<SourceFile> files = SourceFiles.Resolve(Options("dotnet-docs"));
        Assert.Single(files, file => file.Path.EndsWith("/System.Runtime.xml", StringComparison.Ordinal));
        Assert.Equal(files.Count, files.Select(file => Path.GetFileName(file.Path)).Distinct().Count());
    }
}
