using System.Diagnostics;
using Dapper;
using ElectraPipeline.Jobs;
using ElectraPipeline.Storage;
using ElectraPipeline.Training.Corpus;
using Hangfire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ElectraPipeline.Bench;

/// <summary>
/// One worker over a private PostgreSQL in a temporary folder. The stages are real (ingest, vocabulary, tokenize) with tiny inputs, so that
/// what is measured is the way between them; a run is cancelled when its shards are done, before it would train.
/// </summary>
internal sealed class JobsLoad : IAsyncDisposable
{
    private static int bareJobs;
    private readonly DirectoryInfo folder;
    private readonly ElectraStorage storage;
    private readonly IHost host;
    private int corpora;

    private JobsLoad(DirectoryInfo folder, ElectraStorage storage, IHost host)
    {
        this.folder = folder;
        this.storage = storage;
        this.host = host;
    }

    public static async Task<JobsLoad> StartAsync(CancellationToken cancellationToken)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("electra-bench-");
        ElectraStorage storage = await ElectraStorage.OpenAsync(
            new StorageOptions { DataFolder = Path.Combine(folder.FullName, "data") },
            cancellationToken
        );
        HostApplicationBuilder builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();

        // Training is never reached; if it were, this would fail it at once.
        builder.Services.AddElectraWorker(storage, new WorkerOptions { Program = ["/bin/false"] });
        IHost host = builder.Build();
        await host.StartAsync(cancellationToken);
        return new JobsLoad(folder, storage, host);
    }

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync(CancellationToken.None);
        host.Dispose();
        await storage.DisposeAsync();
        folder.Delete(recursive: true);
    }

    /// <summary>Called by bare Hangfire.</summary>
    public static void Nothing() => Interlocked.Increment(ref bareJobs);

    public async Task<IReadOnlyList<(string What, string Value)>> MeasureAsync(
        int hops,
        int shards,
        int runs,
        int history,
        int bare,
        CancellationToken cancellationToken
    )
    {
        var rows = new List<(string, string)>();
        if (hops > 0)
        {
            double[] times = await HopsAsync(hops, cancellationToken);
            rows.Add(($"end of a stage to start of the next, idle, {times.Length} hops: p50", $"{At(times, 0.5):0} ms"));
            rows.Add(("  p95", $"{At(times, 0.95):0} ms"));
        }

        if (shards > 0)
        {
            TimeSpan used = Environment.CpuUsage.TotalTime;
            long run = await SubmitAsync(shards, cancellationToken);
            TimeSpan took = await ShardsAsync([run], shards, cancellationToken);
            used = Environment.CpuUsage.TotalTime - used;
            rows.Add(($"{shards:#,0} shard stages in one run", $"{took.TotalSeconds:0} s, {shards / took.TotalSeconds:0} stages/s"));
            rows.Add(("  from a stage's claim to its publication: p50", $"{await ClaimToPublicationAsync(run, cancellationToken):0} ms"));
            rows.Add(("  processor time of the worker, without PostgreSQL's, a stage", $"{used.TotalMilliseconds / shards:0} ms"));
        }

        if (runs > 0)
        {
            var clock = Stopwatch.StartNew();
            var ids = new List<long>();
            for (int i = 0; i < runs; i++)
            {
                ids.Add(await SubmitAsync(1, cancellationToken));
            }

            await ShardsAsync(ids, runs, cancellationToken);
            rows.Add(
                (
                    $"{runs:#,0} runs at once, to their last shard",
                    $"{clock.Elapsed.TotalSeconds:0} s, {3 * runs / clock.Elapsed.TotalSeconds:0} stages/s"
                )
            );
        }

        if (bare > 0)
        {
            rows.Add(($"{bare:#,0} empty jobs of bare Hangfire, same worker", $"{await BareAsync(bare, cancellationToken):0} jobs/s"));
        }

        for (int grown = 0; history > 0 && grown <= history; grown = grown == 0 ? history / 100 : grown * 10)
        {
            await GrowAsync(grown, cancellationToken);
            rows.Add(
                ($"a round of the relay beside {grown:#,0} finished stage runs: p50", $"{await RelayAsync(cancellationToken):0.00} ms")
            );
        }

        return rows;
    }

    private static double At(double[] sorted, double share) => sorted[(int)(share * (sorted.Length - 1))];

    private async Task<long> SubmitAsync(int parts, CancellationToken cancellationToken)
    {
        string corpus = Path.Combine(folder.FullName, $"corpus-{corpora++}.txt");
        await File.WriteAllLinesAsync(
            corpus,
            Enumerable.Range(0, Math.Max(20, 2 * parts)).Select(i => $"document {i} of corpus {corpora} says a few words.\n"),
            cancellationToken
        );
        var config = new RunConfig
        {
            Name = "bench",
            Corpus = new CorpusOptions { Paths = [corpus], Parts = parts },
            Vocabulary = new() { Size = 100 },
        };
        return await host.Services.GetRequiredService<RunSubmission>().SubmitAsync(config, "user", "user:bench", cancellationToken);
    }

    private async Task<double[]> HopsAsync(int runs, CancellationToken cancellationToken)
    {
        var times = new List<double>();
        for (int i = 0; i < runs; i++)
        {
            long run = await SubmitAsync(1, cancellationToken);
            await ShardsAsync([run], 1, cancellationToken);
            await using var connection = await storage.Database.DataSource.OpenConnectionAsync(cancellationToken);
            times.AddRange(
                await connection.QueryAsync<double>(
                    """
                    select extract(epoch from s.started_at - max(p.finished_at))::float8 * 1000 from stage_run s
                    join stage_dependency d on d.child = s.id join stage_run p on p.id = d.parent
                    where s.run_id = @run and s.stage in ('vocabulary', 'tokenize') group by s.id
                    """,
                    new { run }
                )
            );
        }

        return [.. times.Order()];
    }

    /// <summary>Waits until all shards of the runs are tokenized, and cancels the runs; the time is from the first shard's start.</summary>
    private async Task<TimeSpan> ShardsAsync(IReadOnlyList<long> runs, int shards, CancellationToken cancellationToken)
    {
        await using var connection = await storage.Database.DataSource.OpenConnectionAsync(cancellationToken);
        var parameters = new { runs = runs.ToArray() };
        while (
            await connection.ExecuteScalarAsync<long>(
                "select count(*) from stage_run where run_id = any(@runs) and stage = 'tokenize' and state in ('succeeded', 'reused')",
                parameters
            ) < shards
        )
        {
            if (
                await connection.ExecuteScalarAsync<string?>(
                    "select error from stage_run where run_id = any(@runs) and state = 'failed' limit 1",
                    parameters
                ) is
                { } error
            )
            {
                throw new InvalidOperationException($"a stage of the load failed: {error}");
            }

            // Seldom: counting thousands of rows is work for the server that is measured. The times come from the rows.
            await Task.Delay(200, cancellationToken);
        }

        foreach (long run in runs)
        {
            await storage.Runs.CancelAsync(run, "user:bench", cancellationToken);
        }

        return TimeSpan.FromSeconds(
            await connection.ExecuteScalarAsync<double>(
                "select extract(epoch from max(finished_at) - min(started_at))::float8 from stage_run where run_id = any(@runs) and "
                    + "stage = 'tokenize'",
                parameters
            )
        );
    }

    private async Task<double> ClaimToPublicationAsync(long run, CancellationToken cancellationToken)
    {
        await using var connection = await storage.Database.DataSource.OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteScalarAsync<double>(
            """
            select percentile_cont(0.5) within group (order by extract(epoch from finished_at - started_at)) * 1000
            from stage_run where run_id = @run and stage = 'tokenize'
            """,
            new { run }
        );
    }

    private async Task<double> BareAsync(int jobs, CancellationToken cancellationToken)
    {
        var client = host.Services.GetRequiredService<IBackgroundJobClient>();
        var clock = Stopwatch.StartNew();
        for (int i = 0; i < jobs; i++)
        {
            client.Create(() => Nothing(), new Hangfire.States.EnqueuedState("cpu"));
        }

        while (Volatile.Read(ref bareJobs) < jobs)
        {
            await Task.Delay(20, cancellationToken);
        }

        return jobs / clock.Elapsed.TotalSeconds;
    }

    private async Task GrowAsync(int stageRuns, CancellationToken cancellationToken)
    {
        const int StagesOfARun = 100;
        await using var connection = await storage.Database.DataSource.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            """
            delete from run where name = 'history';
            with runs as (
                insert into run (name, config, config_digest, trigger, state, code_version, finished_at)
                select 'history', '{}', 'none', 'user', 'succeeded', '1', clock_timestamp() from generate_series(1, @runs) returning id)
            insert into stage_run (run_id, stage, shard, ordinal, state, finished_at)
            select id, 'tokenize', lpad(i::text, 4, '0'), i, 'succeeded', clock_timestamp() from runs, generate_series(1, @StagesOfARun) i
            """,
            new { runs = stageRuns / StagesOfARun, StagesOfARun },
            commandTimeout: 600
        );

        // What a server does by itself within minutes: else the relay would be measured beside the writing of the rows just made.
        foreach (string settle in (string[])["vacuum analyze run", "vacuum analyze stage_run", "checkpoint"])
        {
            await connection.ExecuteAsync(settle, commandTimeout: 600, commandType: System.Data.CommandType.Text);
        }
    }

    private async Task<double> RelayAsync(CancellationToken cancellationToken)
    {
        const int Rounds = 200;
        var times = new double[Rounds];
        for (int i = 0; i < Rounds; i++)
        {
            long start = Stopwatch.GetTimestamp();
            await storage.Reconciler.ExpireLeasesAsync(cancellationToken);
            await storage.Reconciler.TakeForgottenAsync(TimeSpan.FromSeconds(15), 200, cancellationToken);
            await storage.Reconciler.FinishRunsAsync(cancellationToken);
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        Array.Sort(times);
        return At(times, 0.5);
    }
}
