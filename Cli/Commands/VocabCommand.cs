using System.CommandLine;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Trains a vocabulary on files, without a run.</summary>
internal static class VocabCommand
{
    private static readonly VocabularyTrainerOptions Defaults = new();

    private static readonly Option<string[]> Input = new("--input")
    {
        Required = true,
        AllowMultipleArgumentsPerToken = true,
        Description = "Text files, or .tsv files of words and counts.",
    };

    private static readonly Option<int> Size = new("--size")
    {
        DefaultValueFactory = _ => Defaults.Size,
        Description = "Tokens, specials included.",
    };
    private static readonly Option<long> MinFrequency = new("--min-frequency")
    {
        DefaultValueFactory = _ => Defaults.MinFrequency,
        Description = "Pairs seen less often are not merged.",
    };

    private static readonly Option<int> LimitAlphabet = new("--limit-alphabet")
    {
        DefaultValueFactory = _ => Defaults.LimitAlphabet,
        Description = "Most frequent characters kept; 0: no limit.",
    };

    private static readonly Option<bool> Cased = new("--cased") { Description = "Keep case and accents." };
    private static readonly Option<string[]> Specials = new("--specials")
    {
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [.. Defaults.Specials],
        Description = "First tokens, in order, separated by spaces or commas; none: no special tokens.",
    };

    private static readonly Option<string?> InitialOrder = new("--initial-order")
    {
        Description = "A vocab.txt whose tokens of ## and one character give the order of these ids.",
    };

    private static readonly Option<string> Output = new("--output") { Required = true, Description = "The vocab.txt to write." };

    public static Command Create(Terminal terminal)
    {
        var train = new ExampleCommand(
            "train",
            "Train a WordPiece vocabulary on text files or word counts.",
            "vocab train --input texts.txt --size 8000 --output vocab.txt"
        )
        {
            Input,
            Size,
            MinFrequency,
            LimitAlphabet,
            Cased,
            Specials,
            InitialOrder,
            Output,
        };
        train.SetAction((parsed, cancellationToken) => Task.FromResult(Train(terminal, parsed, cancellationToken)));
        return new ExampleCommand("vocab", "Work with vocabularies.", "vocab train --input texts.txt --output vocab.txt") { train };
    }

    private static void Refuse(bool wrong, string message)
    {
        if (wrong)
        {
            throw new UsageException(message);
        }
    }

    private static int Train(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        // Names of special tokens hold no comma.
        string[] specials =
        [
            .. parsed
                .GetRequiredValue(Specials)
                .SelectMany(list => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)),
        ];
        Refuse(parsed.GetValue(Size) < 1, "--size must be 1 or more");
        Refuse(parsed.GetValue(MinFrequency) < 0, "--min-frequency must be 0 or more");
        Refuse(parsed.GetValue(LimitAlphabet) < 0, "--limit-alphabet must be 0 (no limit) or more");
        var options = new VocabularyTrainerOptions
        {
            Size = parsed.GetValue(Size),
            MinFrequency = parsed.GetValue(MinFrequency),
            LimitAlphabet = parsed.GetValue(LimitAlphabet),
            Specials = specials is ["none"] ? [] : specials,
        };
        Vocabulary vocabulary = VocabularyFromFiles.Train(
            parsed.GetRequiredValue(Input),
            new TokenizerOptions { LowerCase = !parsed.GetValue(Cased) },
            options,
            parsed.GetValue(InitialOrder),
            cancellationToken
        );
        string path = parsed.GetRequiredValue(Output);
        vocabulary.Save(path);
        terminal.Note($"{vocabulary.Count:N0} tokens are in {path}");
        return ExitCode.Done;
    }
}
