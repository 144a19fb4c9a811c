using System.Text.Json;
using Dapper;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using Spectre.Console;

namespace ElectraPipeline.Chaos;

/// <summary>What a campaign did and what it found. The last four counts must be zero.</summary>
public sealed record Verdict
{
    public required IReadOnlyDictionary<string, int> Faults { get; init; }

    public required int Runs { get; init; }

    public required long Claims { get; init; }

    /// <summary>Trainings that went on from a checkpoint.</summary>
    public required long Resumed { get; init; }

    /// <summary>Leases that ran out, so that their holders were fenced off.</summary>
    public required long LeasesExpired { get; init; }

    /// <summary>Retries of failed or cancelled runs.</summary>
    public required long Retried { get; init; }

    /// <summary>Succeeded stages with more or fewer than one publication.</summary>
    public required IReadOnlyList<string> NotOnce { get; init; }

    /// <summary>Artifacts that do not match their digest.</summary>
    public required IReadOnlyList<string> Damaged { get; init; }

    /// <summary>Outputs that differ from an undisturbed run's.</summary>
    public required IReadOnlyList<string> Different { get; init; }

    /// <summary>Runs that came to no end, or to a bad one.</summary>
    public required IReadOnlyList<string> Unfinished { get; init; }

    public bool IsGood => NotOnce.Count + Damaged.Count + Different.Count + Unfinished.Count == 0;

    internal static async Task<Verdict> OfAsync(
        World world,
        IReadOnlyDictionary<string, int> faults,
        IReadOnlyDictionary<int, IReadOnlyDictionary<string, string>> expected,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await world.Storage.Database.DataSource.OpenConnectionAsync(cancellationToken);
        var runs = await world.Storage.Queries.RunsAsync(World.AllRuns, cancellationToken);
        var different = new List<string>();
        foreach (RunSummary run in runs.Where(run => run.State == RunState.Succeeded))
        {
            different.AddRange(await DifferencesAsync(world, run, expected));
        }

        return new Verdict
        {
            Faults = faults,
            Runs = runs.Count,
            Claims = await connection.ExecuteScalarAsync<long>("select count(*) from event where action = 'claimed'"),
            Resumed = await connection.ExecuteScalarAsync<long>(
                "select count(*) from stage_log where line like 'continues from the checkpoint%'"
            ),
            LeasesExpired = await connection.ExecuteScalarAsync<long>("select count(*) from event where action = 'lease expired'"),
            Retried = await connection.ExecuteScalarAsync<long>(
                "select count(*) from event where actor = 'user:chaos' and action = 'retry'"
            ),
            NotOnce =
            [
                .. await connection.QueryAsync<string>(
                    """
                    select format('stage run %s (%s): published %s times', s.id, s.stage, count(e.id)) from stage_run s
                    left join event e on e.stage_run_id = s.id and e.action in ('succeeded', 'reused')
                    where s.state in ('succeeded', 'reused') group by s.id having count(e.id) <> 1
                    """
                ),
            ],
            Damaged =
            [
                .. (await connection.QueryAsync<string>("select digest from artifact"))
                    .Select(world.Storage.Artifacts.Verify)
                    .OfType<string>(),
            ],
            Different = different,
            Unfinished = [.. runs.Where(run => run.State != RunState.Succeeded).Select(run => $"run {run.Id} is {run.State}")],
        };
    }

    /// <summary>Writes the table.</summary>
    public void Write(IAnsiConsole console)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn("fault or finding").AddColumn(new TableColumn("count").RightAligned());
        foreach ((string name, int count) in Faults)
        {
            table.AddRow(Markup.Escape(name), $"{count}");
        }

        table.AddEmptyRow();
        table.AddRow("faults", $"{Faults.Values.Sum()}").AddRow("runs", $"{Runs}").AddRow("claims", $"{Claims}");
        table
            .AddRow("trainings resumed from a checkpoint", $"{Resumed}")
            .AddRow("leases run out", $"{LeasesExpired}")
            .AddRow("retries of failed or cancelled runs", $"{Retried}");
        table.AddEmptyRow();
        table
            .AddRow("stages not published exactly once", $"{NotOnce.Count}")
            .AddRow("outputs that do not match their digest", $"{Damaged.Count}");
        table
            .AddRow("outputs not bit-identical to an undisturbed run", $"{Different.Count}")
            .AddRow("runs without a good end", $"{Unfinished.Count}");
        console.Write(table);
        foreach (string finding in (IEnumerable<string>)[.. NotOnce, .. Damaged, .. Different, .. Unfinished])
        {
            console.WriteLine(finding);
        }
    }

    // A registration holds the run's own number, so it alone may differ.
    private static async Task<IEnumerable<string>> DifferencesAsync(
        World world,
        RunSummary run,
        IReadOnlyDictionary<int, IReadOnlyDictionary<string, string>> expected
    )
    {
        RunDetail detail = (await world.Storage.Queries.RunAsync(run.Id))!;
        using var config = JsonDocument.Parse(detail.Config);
        var outputs = expected[config.RootElement.GetProperty("seed").GetInt32()];
        return detail
            .Stages.Where(stage => stage.Stage != "register" && stage.OutputDigest != outputs[stage.DisplayName])
            .Select(stage => $"run {run.Id}, {stage.DisplayName}: {stage.OutputDigest}, undisturbed {outputs[stage.DisplayName]}");
    }
}
