using System.CommandLine;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Builds shards from text files, without a run.</summary>
internal static class ShardsBuildCommand
{
    private static readonly Option<string[]> Input = new("--input")
    {
        Required = true,
        AllowMultipleArgumentsPerToken = true,
        Description = "UTF-8 text files, or folders of .txt files; a line is a sentence, a blank line ends a document.",
    };

    private static readonly Option<string> Vocab = new("--vocab") { Required = true, Description = "The vocab.txt." };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "build",
            "Build shards straight from text files, without filters or removal of duplicates.",
            "shards build --input books/ --vocab vocab.txt --output shards"
        )
        {
            Input,
            Vocab,
            ShardsCommand.Cased,
            ShardsCommand.SequenceLength,
            ShardsCommand.HeldOutShare,
            ShardsCommand.Seed,
            CommonOptions.Threads,
            ShardsCommand.Output,
        };
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Build(terminal, parsed, cancellationToken)));
        return command;
    }

    private static int Build(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        ShardBuildResult result = ShardsCommand.FillOutput(
            parsed,
            folder =>
                ShardBuildProgram.Run(
                    new ShardBuildRequest
                    {
                        Inputs = parsed.GetRequiredValue(Input),
                        Vocabulary = Vocabulary.Load(parsed.GetRequiredValue(Vocab)),
                        Tokenizer = ShardsCommand.TokenizerOf(parsed),
                        Examples = ShardsCommand.ExamplesOf(parsed),
                        Seed = (ulong)parsed.GetValue(ShardsCommand.Seed),
                        OutputFolder = folder,
                        Threads = parsed.GetValue(CommonOptions.Threads),
                    },
                    cancellationToken
                )
        );
        foreach (string sample in result.RejectSamples)
        {
            terminal.Note($"rejected: {sample}");
        }

        TokenizeResult counts = result.Counts;
        terminal.Note(
            $"{counts.Documents:N0} documents ({result.Rejected:N0} rejected), {counts.TokensIn:N0} tokens, {counts.UnknownShare:P3} "
                + "of them [UNK]: "
                + $"{counts.TrainExamples:N0} examples to train on and {counts.HeldOutExamples:N0} held out are in "
                + $"{Path.GetFullPath(parsed.GetRequiredValue(ShardsCommand.Output))}"
        );
        return ExitCode.Done;
    }
}
