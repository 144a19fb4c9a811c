using System.CommandLine;

namespace ElectraPipeline.Bench;

/// <summary>How fast shards are read and made.</summary>
internal static class ShardsCommand
{
    public static Command Create()
    {
        var examples = new Option<int>("--examples")
        {
            DefaultValueFactory = _ => 1_000_000,
            Description = "examples to sample from; 0: skip",
        };
        var length = new Option<int>("--length") { DefaultValueFactory = _ => 128, Description = "tokens an example" };
        var batch = new Option<int>("--batch") { DefaultValueFactory = _ => 128, Description = "examples a batch" };
        var folder = new Option<string>("--input")
        {
            DefaultValueFactory = _ => EnglishText.DefaultFolder,
            Description = "folder of .txt.gz files",
        };
        var vocabulary = new Option<string>("--vocab")
        {
            DefaultValueFactory = _ => "../shared/data/vocab/bert-base-uncased/vocab.txt",
            Description = "uncased vocab.txt",
        };
        var megabytes = new Option<int>("--megabytes") { DefaultValueFactory = _ => 75, Description = "text at most; 0: skip" };
        var rounds = new Option<int>("--rounds") { DefaultValueFactory = _ => 3, Description = "measurements of each" };
        var command = new Command(
            "shards",
            "Random examples/s beside memcpy, and MB/s from text to sealed shards beside the tokenizer's own"
        )
        {
            examples,
            length,
            batch,
            folder,
            vocabulary,
            megabytes,
            rounds,
        };
        command.SetAction(parsed =>
        {
            if (parsed.GetRequiredValue(examples) is > 0 and int count)
            {
                SamplingSpeed.Print(
                    count,
                    parsed.GetRequiredValue(length),
                    parsed.GetRequiredValue(batch),
                    parsed.GetRequiredValue(rounds)
                );
            }

            if (parsed.GetRequiredValue(megabytes) is > 0 and int size)
            {
                byte[] text = EnglishText.Read(parsed.GetRequiredValue(folder), size * 1_000_000);
                ShardPathSpeed.Print(text, parsed.GetRequiredValue(vocabulary), parsed.GetRequiredValue(rounds));
            }
        });
        return command;
    }
}
