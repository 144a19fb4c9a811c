using System.CommandLine;
using ElectraPipeline.Chaos;

// dotnet run -c Release --project tests/Chaos -- --seed 1 --faults 200
var seed = new Option<int>("--seed") { Description = "Seed of the faults and their times.", DefaultValueFactory = _ => 1 };
var faults = new Option<int>("--faults") { Description = "Faults to inject.", DefaultValueFactory = _ => 60 };
var workers = new Option<int>("--workers") { Description = "Worker processes.", DefaultValueFactory = _ => 3 };
var bucket = new Option<bool>("--bucket")
{
    Description = "Artifacts in a bucket of a fake S3 server that stumbles, and a data folder for each worker.",
};
var root = new RootCommand("Runs many small pipelines while it breaks things, and checks that nothing was lost.")
{
    seed,
    faults,
    workers,
    bucket,
};
root.SetAction(
    async (parsed, cancellationToken) =>
    {
        var options = new CampaignOptions(
            parsed.GetValue(seed),
            parsed.GetValue(faults),
            parsed.GetValue(workers),
            parsed.GetValue(bucket)
        );
        Verdict verdict = await Campaign.RunAsync(options, Console.Error, cancellationToken);
        verdict.Write(Spectre.Console.AnsiConsole.Console);
        return verdict.IsGood ? 0 : 1;
    }
);
return await root.Parse(args).InvokeAsync();
