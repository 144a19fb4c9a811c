using System.CommandLine;
using ElectraPipeline.Training.Shards;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Shows what is in shards: headers, counts, and an example as tokens.</summary>
internal static class ShardsInspectCommand
{
    private static readonly Option<int?> Example = new("--example")
    {
        Description = "Show this example, counted from 0 over the shards in the order shown.",
        HelpName = "N",
    };
    private static readonly Option<string?> Vocab = new("--vocab")
    {
        Description = "The vocab.txt of the ids; default: the one beside the shard.",
    };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "inspect",
            "Show headers and counts of shards, and an example as tokens.",
            "shards inspect data/objects",
            "shards inspect train.shard --example 7"
        )
        {
            ShardsCommand.Source,
            Example,
            Vocab,
            CommonOptions.Json,
        };
        command.SetAction((parsed, _) => Task.FromResult(Inspect(terminal, parsed)));
        return command;
    }

    private static int Inspect(Terminal terminal, ParseResult parsed)
    {
        string path = parsed.GetRequiredValue(ShardsCommand.Source);
        IReadOnlyList<ShardFacts> facts = ShardInspection.FactsOf(path);
        IReadOnlyDictionary<string, ShardsManifest> manifests = ShardInspection.ManifestsOf(path);
        ShardExample? example = parsed.GetValue(Example) is { } index
            ? ShardInspection.ExampleOf(path, index, parsed.GetValue(Vocab))
            : null;
        if (parsed.GetValue(CommonOptions.Json))
        {
            terminal.WriteJson(
                new
                {
                    Shards = facts,
                    Manifests = manifests,
                    Example = example,
                }
            );
            return ExitCode.Done;
        }

        if (example is null)
        {
            WriteFacts(terminal, path, facts);
            WriteManifests(terminal, manifests);
        }
        else
        {
            WriteExample(terminal, example, facts.Single(shard => shard.Path == example.Path).SequenceLength);
        }

        return ExitCode.Done;
    }

    private static void WriteFacts(Terminal terminal, string path, IReadOnlyList<ShardFacts> facts)
    {
        // Paths of artifacts are longer than a terminal is wide: they come last, and no line is folded.
        TextWriter output = terminal.Output.Profile.Out.Writer;
        output.WriteLine($"  {"split", -10}{"examples", 12}{"length", 8}{"id bytes", 10}{"blocks", 8}{"MB", 10}  shard");
        foreach (ShardFacts shard in facts)
        {
            string name = Directory.Exists(path) ? Path.GetRelativePath(path, shard.Path) : shard.Path;
            output.WriteLine(
                $"  {NameOf(shard.Split), -10}{shard.Examples, 12:N0}{shard.SequenceLength, 8}{shard.TokenBytes, 10}"
                    + $"{shard.Blocks, 8:N0}{shard.Bytes / 1e6, 10:N1}  {name}"
            );
        }

        output.WriteLine();
        foreach ((string vocabulary, string options) in facts.Select(shard => (shard.VocabularyDigest, shard.OptionsDigest)).Distinct())
        {
            Line(terminal, "vocabulary", $"SHA-256 {vocabulary[..16]}");
            Line(terminal, "options", $"SHA-256 {options[..16]}");
        }
    }

    private static void WriteManifests(Terminal terminal, IReadOnlyDictionary<string, ShardsManifest> manifests)
    {
        TokenizeResult[] counts = [.. manifests.Values.Select(manifest => manifest.Counts)];
        if (counts.Length == 0)
        {
            return;
        }

        long tokens = counts.Sum(count => count.TokensIn);
        Line(terminal, "documents", $"{counts.Sum(count => count.Documents):N0}");
        Line(terminal, "tokens", $"{tokens:N0} read, {counts.Sum(count => count.TokensOut):N0} in examples");
        Line(terminal, "[UNK]", $"{counts.Sum(count => count.UnknownTokens) / (double)Math.Max(1, tokens):P3} of the tokens");
        Line(terminal, "seeds", string.Join(", ", manifests.Values.Select(manifest => manifest.Seed).Distinct()));
    }

    private static void WriteExample(Terminal terminal, ShardExample example, int sequenceLength)
    {
        Line(terminal, "shard", example.Path);
        Line(terminal, "split", NameOf(example.Split));
        Line(terminal, "record", $"{example.Record} (from byte {example.Offset})");
        Line(terminal, "length", $"{example.Ids.Count} of {sequenceLength} tokens");
        Line(terminal, "first", Segment(example, example.FirstSegment, 0, example.SecondSegmentStart));
        bool single = example.SecondSegmentStart == example.Ids.Count;
        Line(
            terminal,
            "second",
            single ? "(none)" : Segment(example, example.SecondSegment, example.SecondSegmentStart, example.Ids.Count)
        );
        if (example.FirstSegment is null)
        {
            terminal.Note("ids instead of tokens: there is no vocab.txt beside the shard; name it with --vocab");
        }
    }

    private static string Segment(ShardExample example, IReadOnlyList<string>? tokens, int start, int end) =>
        string.Join(' ', tokens ?? [.. example.Ids.Take(start..end).Select(id => $"{id}")]);

    private static string NameOf(Split? split) =>
        split switch
        {
            Split.Train => "train",
            Split.HeldOut => "held-out",
            _ => "unknown",
        };

    // Not folded at the width of the terminal: an example's tokens stay one line that scripts can read.
    private static void Line(Terminal terminal, string name, string value) =>
        terminal.Output.Profile.Out.Writer.WriteLine($"  {name, -12}{value}");
}
