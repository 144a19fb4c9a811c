using System.CommandLine;
using ElectraPipeline.Training;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Turns lines of text into ids.</summary>
internal static class TokenizeCommand
{
    private static readonly Option<string> Vocab = new("--vocab") { Required = true, Description = "A vocab.txt." };
    private static readonly Option<bool> Cased = new("--cased") { Description = "Keep case and accents." };
    private static readonly Option<bool> SpecialTokens = new("--special-tokens-in-text")
    {
        Description = "\"[MASK]\" in the text is the token.",
    };
    private static readonly Option<int> MaxWordLength = new("--max-word-length")
    {
        DefaultValueFactory = _ => new TokenizerOptions().MaxWordLength,
        Description = "Longer words, in code points, become [UNK].",
    };

    private static readonly Option<string> Input = new("--input")
    {
        Required = true,
        Description = "A file with a text on each line; - is standard input.",
    };
    private static readonly Option<string?> Output = new("--output") { Description = "File to write; default: standard output." };
    private static readonly Option<string?> Field = new("--input-jsonl")
    {
        Description = "The input is JSON lines; the text is in this field.",
    };
    private static readonly Option<bool> AddSpecial = new("--add-special") { Description = "Put [CLS] before and [SEP] behind each text." };

    public static Command Create()
    {
        var command = new ExampleCommand(
            "tokenize",
            "Turn each line of text into a JSON line {\"ids\":[...]}.",
            "tokenize --vocab vocab.txt --input texts.txt --output ids.jsonl",
            "tokenize --vocab vocab.txt --input - --add-special"
        )
        {
            Vocab,
            Cased,
            SpecialTokens,
            MaxWordLength,
            Input,
            Output,
            Field,
            AddSpecial,
            CommonOptions.Threads,
        };
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Tokenize(parsed, cancellationToken)));
        return command;
    }

    private static int Tokenize(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(MaxWordLength) is < 1 and int length)
        {
            throw new UsageException(
                $"{MaxWordLength.Name} is {length}; it must be at least 1 (Hugging Face uses 100, the official code 200)"
            );
        }

        var options = new TokenizerOptions
        {
            LowerCase = !parsed.GetValue(Cased),
            SpecialTokensInText = parsed.GetValue(SpecialTokens),
            MaxWordLength = parsed.GetValue(MaxWordLength),
        };
        // Without [CLS] and [SEP] around them, ids need no other special token than [UNK].
        bool allSpecials = parsed.GetValue(AddSpecial) || parsed.GetValue(SpecialTokens);
        Vocabulary vocabulary = Vocabulary.Load(
            parsed.GetRequiredValue(Vocab),
            allSpecials ? null : [Training.Tokenization.SpecialTokens.Unknown]
        );
        var tokenizer = new WordPieceTokenizer(vocabulary, options);
        string path = parsed.GetRequiredValue(Input);
        if (path != "-" && !File.Exists(path))
        {
            throw new UsageException($"input not found: {path}; name a file, or - for standard input");
        }

        using Stream input = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
        void Run(Stream output) =>
            TokenizeTexts.Run(
                tokenizer,
                input,
                output,
                parsed.GetValue(Field),
                parsed.GetValue(AddSpecial),
                parsed.GetValue(CommonOptions.Threads),
                cancellationToken
            );
        if (parsed.GetValue(Output) is { } target)
        {
            DurableFile.Write(target, Run);
        }
        else
        {
            using Stream output = Console.OpenStandardOutput();
            Run(output);
        }

        return ExitCode.Done;
    }
}
