using ElectraPipeline.Chaos.Faults;
using ElectraPipeline.Jobs;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;

namespace ElectraPipeline.Chaos;

/// <summary>What a campaign does.</summary>
/// <param name="Seed">Seed of the faults and their times.</param>
/// <param name="Faults">Faults to inject.</param>
/// <param name="Workers">Worker processes.</param>
/// <param name="Bucket">
/// Artifacts in a bucket of a fake server that stumbles and loses answers, a data folder a worker; else one for all.
/// </param>
public sealed record CampaignOptions(int Seed, int Faults, int Workers, bool Bucket = false);

/// <summary>
/// Runs small pipelines on several workers, breaks things at random times and at named places in the code, lets everything come to rest
/// and compares what is there with what an undisturbed run makes.
/// </summary>
public static class Campaign
{
    private const int RunsAtOnce = 4;
    private const int RunsOfASeed = 2;
    private const int Rounds = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>Runs a campaign; progress goes to <paramref name="log"/>.</summary>
    public static async Task<Verdict> RunAsync(CampaignOptions options, TextWriter log, CancellationToken cancellationToken = default)
    {
        await using World world = await World.CreateAsync(options);
        try
        {
            Verdict verdict = await JudgeAsync(world, options, log, cancellationToken);
            await KeepLogsAsync(verdict.IsGood ? null : "findings");
            return verdict;
        }
        catch (Exception e)
        {
            await KeepLogsAsync(e.Message);
            throw;
        }

        async Task KeepLogsAsync(string? reason)
        {
            if (reason is not null)
            {
                string kept = Path.Combine(Path.GetTempPath(), $"electra-chaos-{options.Seed}");
                world.KeepLogs(kept);
                await log.WriteLineAsync($"{reason}: the logs are in {kept}");
            }
        }
    }

    private static async Task<Verdict> JudgeAsync(World world, CampaignOptions options, TextWriter log, CancellationToken cancellationToken)
    {
        var struck = new SortedDictionary<string, int>(StringComparer.Ordinal);
        int runs = await StrikeAsync(world, options, struck, log, cancellationToken);
        await log.WriteLineAsync($"{runs} runs submitted; no more faults, waiting for their ends");
        await RestAsync(world, cancellationToken);
        await log.WriteLineAsync("undisturbed runs of the same seeds ...");
        var expected = await Reference.MakeAsync(Enumerable.Range(1, (runs + RunsOfASeed - 1) / RunsOfASeed));
        return await Verdict.OfAsync(world, struck, expected, cancellationToken);
    }

    private static async Task<int> StrikeAsync(
        World world,
        CampaignOptions options,
        SortedDictionary<string, int> struck,
        TextWriter log,
        CancellationToken cancellationToken
    )
    {
        var dice = new Dice(options.Seed);
        int submitted = 0;
        int told = 0;
        while (struck.Values.Sum() + world.PlannedFaults.Count < options.Faults)
        {
            world.KeepWorkers(underFire: true);
            if (await RunningAsync(world) is { } running && running.Count < RunsAtOnce)
            {
                await world.SubmitAsync(1 + (submitted / RunsOfASeed));
                submitted++;
            }

            await Task.Delay(dice.Between(TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(2400)), cancellationToken);
            IFault fault = Choose(dice);
            if (await TryStrikeAsync(fault, world, dice))
            {
                struck[fault.Name] = struck.GetValueOrDefault(fault.Name) + 1;
            }

            int count = struck.Values.Sum() + world.PlannedFaults.Count;
            if (count / 20 > told)
            {
                told = count / 20;
                await log.WriteLineAsync($"{count} of {options.Faults} faults, {submitted} runs submitted");
            }
        }

        foreach (IGrouping<string, string> planned in world.PlannedFaults.GroupBy(line => line[(line.IndexOf(' ') + 1)..]))
        {
            struck[$"at a place: {planned.Key}"] = planned.Count();
        }

        return submitted;
    }

    private static IFault Choose(Dice dice)
    {
        int draw = dice.Next(FaultKinds.All.Sum(kind => kind.Weight));
        foreach (IFault fault in FaultKinds.All)
        {
            draw -= fault.Weight;
            if (draw < 0)
            {
                return fault;
            }
        }

        throw new InvalidOperationException("the weights do not add up");
    }

    // The database may be away by an earlier fault: then there is nothing to strike.
    private static async Task<bool> TryStrikeAsync(IFault fault, World world, Dice dice)
    {
        try
        {
            return await fault.StrikeAsync(world, dice);
        }
        catch (Exception e) when (IsOutage(e))
        {
            return false;
        }
    }

    private static async Task<IReadOnlyList<RunSummary>?> RunningAsync(World world)
    {
        try
        {
            return await world.RunningRunsAsync();
        }
        catch (Exception e) when (IsOutage(e))
        {
            return null;
        }
    }

    private static bool IsOutage(Exception e) =>
        DatabasePatience.IsAbsence(e) || (e.InnerException is { } inner && IsOutage(inner)) || e is IOException;

    /// <summary>Lets all runs come to their end; those that a fault has failed are retried, as a user would.</summary>
    private static async Task RestAsync(World world, CancellationToken cancellationToken)
    {
        await world.SettleAsync();
        await world.StopWorkersAsync();
        using var limit = new CancellationTokenSource(Patience);
        for (int round = 0; round < Rounds; round++)
        {
            while (await RunningAsync(world) is not { Count: 0 })
            {
                world.KeepWorkers(underFire: false);
                await Task.Delay(500, cancellationToken);
                if (limit.IsCancellationRequested)
                {
                    return;
                }
            }

            var failed = (await world.Storage.Queries.RunsAsync(World.AllRuns, cancellationToken))
                .Where(run => run.State is RunState.Failed or RunState.Cancelled)
                .ToList();
            if (failed.Count == 0)
            {
                return;
            }

            foreach (RunSummary run in failed)
            {
                await world.RetryAsync(run.Id);
            }
        }
    }
}
