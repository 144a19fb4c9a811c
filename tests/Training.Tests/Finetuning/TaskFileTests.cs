using System.IO.Compression;
using System.Text;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Finetuning;
using ElectraPipeline.Training.Finetuning.Tasks;
using ElectraPipeline.Training.Tokenization;
using Xunit;

namespace ElectraPipeline.Training.Tests.Finetuning;

public sealed class TaskFileTests : IDisposable
{
    private static readonly TaskColumns Single = new("text", null, "label", null);
    private readonly string folder = Directory.CreateTempSubdirectory("electra-task").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Tab_separated_values_have_no_quoting_and_may_lack_the_last_line_feed()
    {
        string path = Write("a.tsv", "\uFEFFlabel\ttext\r\n1\t\"open quote\r\n0\tsays \"x\"\rhere, é");
        Assert.Equal(
            [new TaskExample("\"open quote", null, "1", null), new TaskExample("says \"x\"\rhere, é", null, "0", null)],
            TaskFile.Read(path, Single)
        );
    }

    [Fact]
    public void Columns_without_names_are_called_by_place()
    {
        string path = Write("cola.tsv", "gj04\t1\t\tThe sailors rode.\nbc01\t0\t*\tThem left.\n");
        Assert.Equal(
            [new TaskExample("The sailors rode.", null, "1", "gj04"), new TaskExample("Them left.", null, "0", "bc01")],
            TaskFile.Read(path, new TaskColumns("#3", null, "#1", "#0"))
        );
        Assert.Contains("line 1: 4 columns, \"#4\" is asked for", Fault(path, new TaskColumns("#4", null, "#1", null)));
    }

    [Fact]
    public void Comma_separated_values_are_quoted()
    {
        string path = Write("a.csv", "\uFEFFtext,other,label,second\n\"a, \"\"b\"\"\nc\",x,yes,p\nplain,,no,q");
        Assert.Equal(
            [new TaskExample("a, \"b\"\nc", "p", "yes", "x"), new TaskExample("plain", "q", "no", "")],
            TaskFile.Read(path, new TaskColumns("text", "second", "label", "other"))
        );
    }

    [Fact]
    public void Json_lines_hold_labels_of_any_simple_type()
    {
        string path = Write("a.jsonl.gz", "{\"text\":\"a\\nb\",\"label\":true,\"g\":\"x\"}\n\n{\"g\":7,\"label\":2,\"text\":\"\"}");
        Assert.Equal(
            [new TaskExample("a\nb", null, "true", "x"), new TaskExample("", null, "2", "7")],
            TaskFile.Read(path, Single with { Group = "g" })
        );
    }

    [Theory]
    [InlineData("a.tsv", "txt\tlabel\n", "line 1: there is no column \"text\" among \"txt\", \"label\"; did you mean \"txt\"?")]
    [InlineData("a.csv", "sentence,label\na,b\n", "line 1: there is no column \"text\" among \"sentence\", \"label\"")]
    [InlineData(
        "a.jsonl",
        "{\"text\":\"a\",\"label\":1}\n{\"text\":\"a\",\"Label\":1}\n",
        "line 2: there is no column \"label\" among \"text\", \"Label\"; did you mean \"Label\"?"
    )]
    [InlineData("a.tsv", "text\tlabel\na\t1\nb\t1\tc\n", "line 3: 3 columns, the first line has 2")]
    [InlineData("a.csv", "text,label\na,1\nb\n", "line 3: not a row")]
    [InlineData("a.csv", "text,label\na,1\n\"b\"c,1\n", "line 3: not a row")]
    [InlineData("a.jsonl", "{\"text\":\"a\",\"label\":1}\n{\"text\":", "line 2: not JSON")]
    [InlineData("a.jsonl", "[1]", "line 1: a JSON Array, not an object")]
    [InlineData("a.jsonl", "{\"text\":[],\"label\":1}", "line 1: \"text\" is a JSON Array")]
    [InlineData("a.tsv", "text\tlabel\na\t\n", "line 2: the label (column \"label\") is empty")]
    [InlineData("a.tsv", "text\tlabel\n", "holds no labelled text")]
    [InlineData("a.csv", "", "holds no labelled text")]
    [InlineData("a.xlsx", "text", "not \".xlsx\"")]
    public void Faults_name_file_line_and_column(string name, string content, string expected)
    {
        string path = Write(name, content);
        string message = Fault(path, Single);
        Assert.StartsWith(path, message);
        Assert.Contains(expected, message);
    }

    [Theory]
    [InlineData("a.tsv", "text\tlabel\na\t1\nb")]
    [InlineData("a.csv", "text,label\na,1\nb")]
    [InlineData("a.jsonl", "{\"text\":\"a\",\"label\":1}\n\n{\"text\":\"b")]
    public void Bytes_that_are_not_text_are_named(string name, string before)
    {
        string path = Path.Combine(folder, name);
        string after =
            name.EndsWith("jsonl", StringComparison.Ordinal) ? "\",\"label\":1}"
            : name.EndsWith("tsv", StringComparison.Ordinal) ? "\t1"
            : ",1";
        File.WriteAllBytes(path, [.. Encoding.UTF8.GetBytes(before), 0xC3, 0x28, .. Encoding.UTF8.GetBytes(after)]);
        Assert.Contains("line 3: not UTF-8", Fault(path, Single));
    }

    [Fact]
    public void A_missing_or_cut_file_is_named()
    {
        Assert.Contains("no such file", Fault(Path.Combine(folder, "none.tsv"), Single));
        string path = Write("a.tsv.gz", string.Concat(Enumerable.Range(0, 2_000).Select(i => $"text {i * 7919}\t{i}\n")));
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..1_000]);
        Assert.Contains("not a whole gzip file", Fault(path, Single));
    }

    [Fact]
    public void A_file_that_unpacks_to_more_than_any_text_is_a_decompression_bomb()
    {
        byte[] row = Encoding.UTF8.GetBytes($"{new string('a', 1 << 20)}\t1\n");
        string path = Path.Combine(folder, "bomb.tsv.gz");
        using (var gzip = new GZipStream(File.Create(path), CompressionLevel.SmallestSize))
        {
            for (int i = 0; i < 80; i++)
            {
                gzip.Write(row);
            }
        }

        Assert.Contains("more than 250 times as many", Fault(path, new TaskColumns("#0", null, "#1", null)));
    }

    [Fact]
    public void Bytes_of_another_digest_are_not_read_whatever_the_format()
    {
        foreach (string name in new[] { "train.tsv", "train.conll", "train.json" })
        {
            File.WriteAllText(Path.Combine(folder, name), "secret");
            var files = new TaskFiles(folder, new Dictionary<string, string> { [Path.Combine(folder, name)] = new('0', 64) });
            foreach (string kind in new[] { "classification", "tagging", "answering" })
            {
                var options = new FinetuneOptions
                {
                    Name = "t",
                    Train = name,
                    Kind = kind,
                };
                var tokenizer = new WordPieceTokenizer(new Vocabulary(SpecialTokens.All), new TokenizerOptions());
                string message = Assert.Throws<IOException>(() => FinetuneTask.Load(options, files, 1, tokenizer)).Message;
                Assert.StartsWith($"{Path.Combine(folder, name)} changed while it was read", message);
            }
        }
    }

    [Theory]
    [InlineData("CoLA/train.tsv.gz", "#3", null, "#1", 8_551)]
    [InlineData("CoLA/dev.tsv", "#3", null, "#1", 1_043)]
    [InlineData("SST-2/dev.tsv", "sentence", null, "label", 872)]
    [InlineData("MRPC/train.tsv.gz", "#1 String", "#2 String", "Quality", 3_667)]
    [InlineData("MRPC/dev.tsv", "#1 String", "#2 String", "Quality", 408)]
    [InlineData("STS-B/dev.tsv", "sentence1", "sentence2", "score", 1_500)]
    [InlineData("QNLI/dev.tsv.gz", "question", "sentence", "label", 5_463)]
    [InlineData("RTE/train.tsv.gz", "sentence1", "sentence2", "label", 2_490)]
    [InlineData("WNLI/train.tsv", "sentence1", "sentence2", "label", 635)]
    public void Published_files_are_read_whole(string name, string text, string? pair, string label, int rows)
    {
        string path = SharedData.Require("data/glue/" + name);
        Assert.Equal(rows, TaskFile.Read(path, new TaskColumns(text, pair, label, null)).Count);
    }

    private static string Fault(string path, TaskColumns columns) =>
        Assert.Throws<PermanentException>(() => TaskFile.Read(path, columns)).Message;

    private string Write(string name, string content)
    {
        string path = Path.Combine(folder, name);
        using Stream stream = name.EndsWith(".gz", StringComparison.Ordinal)
            ? new GZipStream(File.Create(path), CompressionLevel.Optimal)
            : File.Create(path);
        stream.Write(Encoding.UTF8.GetBytes(content));
        return path;
    }
}
