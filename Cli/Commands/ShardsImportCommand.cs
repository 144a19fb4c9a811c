using System.CommandLine;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Shards.Exchange;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Makes shards of Megatron-LM's data sets.</summary>
internal static class ShardsImportCommand
{
    private static readonly Argument<string> Source = new("PATH")
    {
        Description = "NAME of a pair NAME.bin and NAME.idx, or a folder that \"shards export --format megatron\" wrote.",
    };

    private static readonly Option<string?> Vocab = new("--vocab")
    {
        Description = "The vocab.txt of the ids; not needed for an exported folder.",
    };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "import",
            "Make shards of indexed data sets of Megatron-LM. Sequences are taken for sentences and packed; an exported folder comes "
                + "back as it was.",
            "shards import exported --output shards",
            "shards import corpus_text_sentence --vocab vocab.txt --output shards"
        )
        {
            Source,
            Vocab,
            ShardsCommand.Cased,
            ShardsCommand.SequenceLength,
            ShardsCommand.HeldOutShare,
            ShardsCommand.Seed,
            ShardsCommand.Output,
        };
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Import(terminal, parsed, cancellationToken)));
        return command;
    }

    private static int Import(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        string path = parsed.GetRequiredValue(Source);
        TokenizeResult counts = ShardsCommand.FillOutput(
            parsed,
            folder =>
                ShardImport.IsExport(path)
                    ? ShardImport.Restore(path, folder, cancellationToken)
                    : ShardImport.Pack(
                        path,
                        Vocabulary.Load(
                            parsed.GetValue(Vocab)
                                ?? throw new UsageException("--vocab is needed: ids mean nothing without their vocabulary")
                        ),
                        ShardsCommand.TokenizerOf(parsed),
                        ShardsCommand.ExamplesOf(parsed),
                        (ulong)parsed.GetValue(ShardsCommand.Seed),
                        folder,
                        cancellationToken
                    )
        );
        terminal.Note(
            $"{counts.TrainExamples:N0} examples to train on and {counts.HeldOutExamples:N0} held out are in "
                + $"{Path.GetFullPath(parsed.GetRequiredValue(ShardsCommand.Output))}"
        );
        return ExitCode.Done;
    }
}
