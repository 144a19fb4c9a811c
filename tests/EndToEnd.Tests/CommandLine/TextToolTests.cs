using System.IO.Compression;
using System.Text.Json;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.CommandLine;

/// <summary>The commands that work on texts without a database, by the real executable, against the reference data.</summary>
public sealed class TextToolTests : IDisposable
{
    private static readonly Dictionary<string, string?> Environment = new()
    {
        ["ELECTRA_DATA"] = "/nonexistent",
        ["ELECTRA_DATABASE"] = null,
    };

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("uncased", "bert-base-uncased/vocab.txt")]
    [InlineData("cased", "bert-base-cased/vocab.txt")]
    [InlineData("chinese", "bert-base-chinese/vocab.txt")]
    [InlineData("multi", "bert-base-multilingual-cased/vocab.txt.gz")]
    public async Task TokenizeGivesTheRecordedIds(string name, string vocabulary)
    {
        string cases = SharedData.Require("golden/tokenization/cases.jsonl");
        string[] cased = name == "uncased" ? [] : ["--cased"];
        await RunAsync([
            "tokenize",
            "--vocab",
            Plain(vocabulary),
            .. cased,
            "--special-tokens-in-text",
            "--input",
            cases,
            "--input-jsonl",
            "text",
            "--output",
            folder["ids.jsonl"],
        ]);
        int[][] expected = [.. File.ReadLines(cases).Select(line => Ids(line, name))];
        int[][] actual = [.. File.ReadLines(folder["ids.jsonl"]).Select(line => Ids(line, "ids"))];
        Assert.Equal(2_335, actual.Length);
        Assert.Equal(expected, actual);
    }

    [Fact]
    public async Task TokenizeReadsStandardInputAndHeedsItsOptions()
    {
        // No [PAD], [CLS], [SEP] or [MASK]: not needed where nothing is put around the text.
        string small = folder.Write("small.txt", "[UNK]\nab\n##c\n[\nmask\n]\nAB\n");
        string all = folder.Write("all.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nab\n##c\n[\nmask\n]\nAB\n");
        Assert.Equal("{\"ids\":[1,2]}\n{\"ids\":[]}\n{\"ids\":[3,4,5]}\n", await PipeAsync(@"ABc\r\n\n[MASK]", $"--vocab {small}"));
        Assert.Equal("{\"ids\":[6,2]}\n", await PipeAsync("ABc", $"--vocab {small} --cased"));
        Assert.Equal("{\"ids\":[0]}\n", await PipeAsync("abc", $"--vocab {small} --max-word-length 2"));
        Assert.Equal("{\"ids\":[2,5,4,3]}\n", await PipeAsync("ab[MASK]", $"--vocab {all} --special-tokens-in-text --add-special"));
        Assert.Equal("{\"ids\":[1]}\n", await PipeAsync(@"\357\273\277{""t"":""ab""}", $"--vocab {small} --input-jsonl t"));

        ProcessResult refused = await BuiltElectra.RunAsync(Environment, "tokenize", "--vocab", small, "--input", small, "--add-special");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("[PAD]", refused.Error);

        ProcessResult tooShort = await BuiltElectra.RunAsync(
            Environment,
            "tokenize",
            "--vocab",
            small,
            "--input",
            small,
            "--max-word-length",
            "0"
        );
        Assert.Equal(2, tooShort.ExitCode);
        Assert.Contains("--max-word-length is 0", tooShort.Error);
    }

    [Theory]
    [InlineData("ordered-tiny-uncased-v60-mf0-la0-sp", "tiny.txt", "--size", "60", "--min-frequency", "0", "--limit-alphabet", "0")]
    [InlineData("ordered-tiny-uncased-v30000-mf2-la0-nosp", "tiny.txt", "--size", "30000", "--limit-alphabet", "0", "--specials", "none")]
    [InlineData(
        "ordered-en-small-uncased-v2000-mf0-la40-sp",
        "wordcounts-en-small-uncased.tsv",
        "--size",
        "2000",
        "--min-frequency",
        "0",
        "--limit-alphabet",
        "40"
    )]
    [InlineData(
        "ordered-multi-small-uncased-v5000-mf2-la1000-sp",
        "multi-small.txt",
        "--size",
        "5000",
        "--specials",
        "[PAD],[UNK],[CLS],[SEP],[MASK]"
    )]
    [InlineData(
        "hf-npm-en-small-cased-run1",
        "en-small.txt",
        "--cased",
        "--size",
        "30000",
        "--min-frequency",
        "0",
        "--limit-alphabet",
        "0",
        "--specials",
        "none",
        "--initial-order",
        "*"
    )]
    public async Task VocabTrainGivesTheRecordedFiles(string golden, string input, params string[] options)
    {
        string expected = SharedData.Require($"golden/vocabulary-training/{golden}.vocab.txt");
        await RunAsync([
            "vocab",
            "train",
            "--input",
            SharedData.Require("golden/vocabulary-training/" + input),
            .. options.Select(option => option == "*" ? expected : option),
            "--output",
            folder["vocab.txt"],
        ]);
        Assert.Equal(File.ReadAllText(expected).TrimEnd('\n'), File.ReadAllText(folder["vocab.txt"]).TrimEnd('\n'));
    }

    [Fact]
    public async Task ShardsAreBuiltInspectedAndVerified()
    {
        string vocabulary = SharedData.Require("data/vocab/bert-base-uncased/vocab.txt");
        string text = folder.Write(
            "text.txt",
            string.Join("\n\n", Enumerable.Range(0, 400).Select(i => $"It was the best of times, number {i}.\nIt was the worst of times."))
        );
        string shards = folder["shards"];
        await RunAsync([
            "shards",
            "build",
            "--input",
            text,
            "--vocab",
            vocabulary,
            "--held-out-share",
            "0.1",
            "--sequence-length",
            "32",
            "--output",
            shards,
        ]);

        string facts = await RunAsync(["shards", "inspect", shards]);
        Assert.Contains("train.shard", facts);
        Assert.Contains("400", facts);
        string example = await RunAsync(["shards", "inspect", shards, "--example", "399"]);
        Assert.Contains("held-out", example);
        Assert.Contains("[CLS] it was the best of times , number ", example);
        using JsonDocument json = JsonDocument.Parse(
            await RunAsync(["shards", "inspect", Path.Combine(shards, "train.shard"), "--example", "0", "--json"])
        );
        Assert.Equal("train", json.RootElement.GetProperty("example").GetProperty("split").GetString());
        Assert.Equal(32, json.RootElement.GetProperty("shards")[0].GetProperty("sequenceLength").GetInt32());

        await RunAsync(["shards", "export", shards, "--format", "megatron", "--output", folder["exported"]]);
        await RunAsync(["shards", "import", folder["exported"], "--output", folder["imported"]]);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(shards, "train.shard")),
            File.ReadAllBytes(Path.Combine(folder["imported"], "train.shard"))
        );
        await RunAsync([
            "shards",
            "import",
            folder["exported/train"],
            "--vocab",
            vocabulary,
            "--sequence-length",
            "64",
            "--output",
            folder["packed"],
        ]);
        await RunAsync(["shards", "export", shards, "--format", "parquet", "--output", folder["tables"]]);
        Assert.True(File.Exists(folder["tables/heldout.parquet"]));

        await RunAsync(["shards", "verify", folder.Path]);
        string train = Path.Combine(shards, "train.shard");
        byte[] bytes = File.ReadAllBytes(train);
        bytes[5_000] ^= 4;
        File.WriteAllBytes(train, bytes);
        ProcessResult damaged = await BuiltElectra.RunAsync(Environment, "shards", "verify", shards);
        Assert.Equal(1, damaged.ExitCode);
        Assert.Contains($"{train}: block 0 (bytes 128 to ", damaged.Error);

        // What was written before the damage was met stands under no name.
        foreach (string format in (string[])["megatron", "parquet"])
        {
            ProcessResult failed = await BuiltElectra.RunAsync(
                Environment,
                "shards",
                "export",
                shards,
                "--format",
                format,
                "--output",
                folder["failed"]
            );
            Assert.NotEqual(0, failed.ExitCode);
            Assert.Contains(train, failed.Error);
            Assert.Empty(Directory.GetFileSystemEntries(folder.Path, "failed*"));
        }

        ProcessResult occupied = await BuiltElectra.RunAsync(
            Environment,
            "shards",
            "build",
            "--input",
            text,
            "--vocab",
            vocabulary,
            "--output",
            shards
        );
        Assert.Equal(2, occupied.ExitCode);
        Assert.Contains("not empty", occupied.Error);
    }

    /// <summary>A folder is read, then again with a file more, and the result is that of a rebuild; a removed file disappears.</summary>
    [Fact]
    public async Task IngestOfAGrownFolderReadsItsNewFilesAndGivesTheBytesOfARebuild()
    {
        folder.Write("in/a.txt", "It was the best of times.\n\nIt was the worst of times.\n\nIt was the best of times.\n");
        folder.Write("in/b.jsonl", "{\"text\":\"The age of wisdom, as some lines of this file say.\"}\nnonsense\n");
        string config = folder.Write(
            "run.json",
            """
            {
              "name": "x",
              "corpus": { "paths": ["in"], "maxRejectShare": 0.5, "filters": { "length": { "minWords": 7, "minCharacters": 1 } } }
            }
            """
        );
        string[] ingest = ["ingest", "--config", config, "--input", folder["in"], "--cache", folder["cache"]];
        ProcessResult first = await BuiltElectra.RunAsync(Environment, [.. ingest, "--output", folder["one"]]);
        Assert.True(first.ExitCode == 0, first.ToString());
        foreach (string word in (string[])["broken-json", "b.jsonl, line 2", "too-few-words", "a.txt:1"])
        {
            Assert.Contains(word, first.Output);
        }

        Assert.Contains("1 documents in 4 parts", first.Error);

        folder.Write("in/0.txt", "The epoch of belief, said one who had seen it all.\n");
        using JsonDocument grown = JsonDocument.Parse(await RunAsync([.. ingest, "--output", folder["two"], "--json"]));
        Assert.Equal(2, grown.RootElement.GetProperty("filesReused").GetInt32());
        JsonElement manifest = grown.RootElement.GetProperty("manifest");
        Assert.Equal((6, 2), (manifest.GetProperty("records").GetInt32(), manifest.GetProperty("documents").GetInt32()));

        await RunAsync(["ingest", "--config", config, "--output", folder["rebuilt"]]);
        Assert.All(
            Directory.GetFiles(folder["two"]),
            path => Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(Path.Combine(folder["rebuilt"], Path.GetFileName(path))))
        );

        File.Delete(folder["in/0.txt"]);
        await RunAsync([.. ingest, "--output", folder["three"]]);
        Assert.All(
            Directory.GetFiles(folder["one"]),
            path => Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(Path.Combine(folder["three"], Path.GetFileName(path))))
        );

        ProcessResult nothing = await BuiltElectra.RunAsync(Environment, "ingest", "--output", folder["four"]);
        Assert.Equal(2, nothing.ExitCode);
        Assert.Contains("--input", nothing.Error);
    }

    private static int[] Ids(string line, string field)
    {
        using JsonDocument json = JsonDocument.Parse(line);
        return [.. json.RootElement.GetProperty(field).EnumerateArray().Select(id => id.GetInt32())];
    }

    private static async Task<string> RunAsync(string[] arguments)
    {
        ProcessResult result = await BuiltElectra.RunAsync(Environment, arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }

    /// <summary>The output of "tokenize" for what printf makes of a format.</summary>
    private static async Task<string> PipeAsync(string format, string options)
    {
        using StartedProcess shell = StartedProcess.Start(
            "/bin/sh",
            Environment,
            ["-c", $"printf '{format}' | {Path.Combine(BuiltElectra.Folder, "electra")} tokenize --input - {options}"]
        );
        ProcessResult result = await shell.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }

    private string Plain(string vocabulary)
    {
        string path = SharedData.Require("data/vocab/" + vocabulary);
        if (!path.EndsWith(".gz", StringComparison.Ordinal))
        {
            return path;
        }

        using var source = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        using FileStream target = File.Create(folder["vocab.txt"]);
        source.CopyTo(target);
        return target.Name;
    }
}
