using System.CommandLine;
using System.Diagnostics;
using ElectraPipeline.Bench.Fuzzing;

namespace ElectraPipeline.Bench;

/// <summary>Runs the fuzz targets longer than the tests do. The first case that fails is printed, with how to run it again.</summary>
internal static class FuzzCommand
{
    public static Command Create()
    {
        var target = new Argument<string?>("target") { Description = "one target; default: all in turn", Arity = ArgumentArity.ZeroOrOne };
        target.AcceptOnlyFromAmong([.. FuzzTarget.All.Select(known => known.Name)]);
        var seconds = new Option<double>("--seconds") { DefaultValueFactory = _ => 60, Description = "for each target" };
        var seed = new Option<ulong>("--seed") { DefaultValueFactory = _ => 1, Description = "seed of the cases" };
        var from = new Option<long>("--from") { Description = "number of the first case" };
        var command = new Command("fuzz", "Run random cases against tokenizers and readers") { target, seconds, seed, from };
        command.SetAction(parsed =>
            FuzzTarget
                .All.Where(known => parsed.GetValue(target) is not { } name || name == known.Name)
                .Sum(known => Run(known, parsed.GetRequiredValue(seed), parsed.GetValue(from), parsed.GetRequiredValue(seconds)))
        );
        return command;
    }

    /// <summary>0: no case failed.</summary>
    private static int Run(FuzzTarget target, ulong seed, long from, double seconds)
    {
        string folder = Directory.CreateTempSubdirectory("electra-fuzz-").FullName;
        var watch = Stopwatch.StartNew();
        long number = from;
        try
        {
            for (; watch.Elapsed.TotalSeconds < seconds; number++)
            {
                target.RunCase(seed, number, folder);
            }

            Console.WriteLine($"{target.Name}: {number - from:N0} cases in {watch.Elapsed.TotalSeconds:F0} s, none failed");
            return 0;
        }
        catch (Exception exception)
        {
            Console.WriteLine(
                $"{target.Name}: case {number} failed; again with: fuzz {target.Name} --seed {seed} --from {number} --seconds "
                    + $"1\n{exception}"
            );
            return 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
