using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Dapper;
using ElectraPipeline.TestSupport;
using Npgsql;
using Xunit;

namespace ElectraPipeline.Storage.Tests;

/// <summary>
/// Migrations lose nothing: of databases that earlier commits left, every row of every table is there afterwards with its values, what is
/// new in it has the value that is written down here, and the schema is that of a new database.
/// </summary>
public sealed class MigrationTests(PostgresFixture postgres) : IDisposable
{
    /// <summary>What rows of before get in columns of since. A migration that adds a column says here what they get.</summary>
    private static readonly Dictionary<string, string> NewColumns = new()
    {
        ["model_version.source"] = "null",
        ["stage_run.priority"] = "0",
        ["stage_run.memory_gb"] = "null",
        ["stage_run.attempts_allowed"] = "3",
    };

    // Rows of the tables that the archives leave empty, as the first schema allows them; the others follow where the table exists.
    private const string MoreRows = """
        insert into electra.artifact (digest, kind, bytes, files) values
            (repeat('a', 64), 'corpus', 10, 1), (repeat('b', 64), 'vocabulary', 20, 2), (repeat('c', 64), 'model', 1099511627776, 3);
        insert into electra.dataset_version (dataset, version, digest, corpus, vocabulary, shards, manifest, run_id)
            values ('books', 3, repeat('d', 64), repeat('a', 64), repeat('b', 64),
                array[repeat('a', 64), repeat('b', 64)], '{"parts": 2}', 1);
        insert into electra.model_version
            (model, version, artifact, config, metrics, dataset, dataset_version, finetuned, code_version, run_id)
            values ('reader', 7, repeat('c', 64), '{"name": "reader"}', '{"auc": 0.8}', 'books', 3, '{"mood": {"f1": 0.5}}', '0.1', 1);
        insert into electra.model_alias (model, alias, version) values ('reader', 'champion', 7);
        insert into electra.schedule (name, cron, time_zone, config, enabled)
            values ('nightly', '30 2 * * *', 'Europe/Berlin', '{"name": "x"}', false);
        """;

    private static readonly Dictionary<string, string> RowsOfLaterTables = new()
    {
        ["account"] = "insert into electra.account (name, role, password_hash) values ('ada', 'viewer', 'hash')",
        ["artifact_location"] = "insert into electra.artifact_location (url) values ('s3://models?region=eu')",
        ["pause"] = "insert into electra.pause (scope, subject, interrupts, actor) values ('queue', 'gpu', true, 'user:ada')",
    };

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("first-schema.tar.gz")]
    [InlineData("options-that-are-set.tar.gz")]
    public async Task EveryRowOfAnEarlierDatabaseIsThereAfterwards(string archive)
    {
        var (before, after) = await MigrateAsync(archive, "");
        Assert.True(before.Count >= 15, $"{before.Count} tables");
        Assert.All(before, table => Assert.NotEmpty(table.Value.Rows));
        Assert.Equal([], FaultsOf(before, after));
        Assert.Equal(await SchemaAsync(await postgres.NewDatabaseAsync()), after.Schema);
    }

    /// <summary>What ran somewhere does not run there again: changes go into a new migration, and its digest here.</summary>
    [Fact]
    public void PublishedMigrationsDoNotChange() =>
        Assert.Equal(
            [
                "0001_initial.sql 417fba0374c79fe8",
                "0002_models_from_elsewhere.sql 924cbb57023d3c76",
                "0003_accounts.sql a7c20fac99a91832",
                "0005_large_runs.sql 019c70d7c7ed1225",
                "0006_operations.sql e3959927184c49e5",
                "0007_audit.sql 1c31dccbf04ef312",
                "0008_attempts_allowed.sql 24b05783ead6b477",
            ],
            typeof(Database)
                .Assembly.GetManifestResourceNames()
                .Where(name => name.EndsWith(".sql", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(name =>
                {
                    using Stream script = typeof(Database).Assembly.GetManifestResourceStream(name)!;
                    return $"{name.Split("Migrations.")[1]} {Convert.ToHexStringLower(SHA256.HashData(script))[..16]}";
                })
        );

    [Fact]
    public async Task StagesOfRunsWithLimitsKeepTheAttemptsThatTheseAllow()
    {
        string connectionString = await UpgradeArchive.RestoreAsync(postgres, "options-that-are-set.tar.gz", folder["left"]);
        await using var source = NpgsqlDataSource.Create(connectionString);
        await ExecuteAsync(
            source,
            """
            update electra.run set config = jsonb_set(config, '{limits}', '[{"stage": "tokenize", "attempts": 9}, {"stage": "ingest"}]')
            """
        );
        await (await Database.OpenAsync(connectionString, TestContext.Current.CancellationToken)).DisposeAsync();
        await using NpgsqlConnection connection = await source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        Assert.Equal(
            ["evaluate 3", "ingest 3", "pretrain 3", "register 3", "tokenize 9", "vocabulary 3"],
            await connection.QueryAsync<string>(
                "select distinct stage || ' ' || attempts_allowed as line from electra.stage_run order by line"
            )
        );
    }

    /// <summary>What a migration could do wrong, and that it is found.</summary>
    [Theory]
    [InlineData("delete from electra.metric where name = (select min(name) from electra.metric)", "metric: rows are gone")]
    [InlineData("truncate electra.event", "event: rows are gone")]
    [InlineData("drop table electra.model_alias", "model_alias is gone")]
    [InlineData("alter table electra.stage_run drop column progress_done", "stage_run: rows are gone or changed")]
    [InlineData("update electra.stage_run set fingerprint = null where stage = 'ingest'", "stage_run: rows are gone or changed")]
    [InlineData("update electra.schedule set enabled = true", "schedule: rows are gone or changed")]
    [InlineData(
        "alter table electra.artifact alter column bytes type int using (bytes % 1000000)::int",
        "artifact: rows are gone or changed"
    )]
    [InlineData("update electra.stage_run set attempts_allowed = 0", "stage_run.attempts_allowed is 0")]
    [InlineData("update electra.model_version set source = '{}'", "model_version.source is {}")]
    [InlineData("alter table electra.run add column owner text default 'nobody'", "run.owner is \"nobody\"")]
    public async Task ARowThatAMigrationLosesOrChangesIsNoticed(string mistake, string noticed)
    {
        var (before, after) = await MigrateAsync("first-schema.tar.gz", mistake);
        Assert.Contains(FaultsOf(before, after), fault => fault.StartsWith(noticed, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("drop index electra.stage_run_open_idx")]
    [InlineData("alter table electra.model_version drop constraint model_version_has_an_origin")]
    [InlineData("alter table electra.stage_run alter column attempts_allowed set default 0")]
    [InlineData("alter type electra.stage_state add value 'lost'")]
    public async Task ASchemaThatIsNotANewDatabasesIsNoticed(string mistake)
    {
        var (_, after) = await MigrateAsync("first-schema.tar.gz", mistake);
        Assert.NotEqual(await SchemaAsync(await postgres.NewDatabaseAsync()), after.Schema);
    }

    private static IEnumerable<string> FaultsOf(Dictionary<string, Table> before, State after)
    {
        foreach (var (name, table) in before)
        {
            if (!after.Tables.TryGetValue(name, out Table? now))
            {
                yield return $"{name} is gone";
                continue;
            }

            string[] added = [.. now.Columns.Except(table.Columns)];
            var kept = now.Rows.Select(row => Without(row, added)).ToHashSet();
            int lost = table.Rows.Count(row => !kept.Contains(row));
            if (lost > 0 || now.Rows.Count != table.Rows.Count)
            {
                yield return $"{name}: rows are gone or changed, {lost} of {table.Rows.Count}";
            }

            foreach (string column in added)
            {
                string? wrong = now
                    .Rows.Select(row => JsonNode.Parse(row)![column]?.ToJsonString() ?? "null")
                    .FirstOrDefault(value => value != NewColumns.GetValueOrDefault($"{name}.{column}"));
                if (wrong is not null)
                {
                    yield return $"{name}.{column} is {wrong}";
                }
            }
        }
    }

    private static string Without(string row, string[] columns)
    {
        JsonObject json = JsonNode.Parse(row)!.AsObject();
        foreach (string column in columns)
        {
            json.Remove(column);
        }

        return json.ToJsonString();
    }

    /// <summary>
    /// What an archive holds, with a row in each table, and what is there when it is migrated and a mistake was made then.
    /// </summary>
    private async Task<(Dictionary<string, Table> Before, State After)> MigrateAsync(string archive, string mistake)
    {
        string connectionString = await UpgradeArchive.RestoreAsync(postgres, archive, folder["left"]);
        await using var source = NpgsqlDataSource.Create(connectionString);
        await ExecuteAsync(source, MoreRows);
        foreach (var (table, insert) in RowsOfLaterTables)
        {
            if ((await TablesAsync(source)).ContainsKey(table))
            {
                await ExecuteAsync(source, insert);
            }
        }

        Dictionary<string, Table> before = await TablesAsync(source);
        await (await Database.OpenAsync(connectionString, TestContext.Current.CancellationToken)).DisposeAsync();
        await ExecuteAsync(source, mistake);
        return (before, new State(await TablesAsync(source), await SchemaAsync(connectionString)));
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        if (sql.Length > 0)
        {
            await using NpgsqlConnection connection = await source.OpenConnectionAsync();
            await connection.ExecuteAsync(sql);
        }
    }

    private static async Task<Dictionary<string, Table>> TablesAsync(NpgsqlDataSource source)
    {
        await using NpgsqlConnection connection = await source.OpenConnectionAsync();
        var columns = await connection.QueryAsync<(string Table, string Column)>(
            "select table_name, column_name from information_schema.columns where table_schema = 'electra' and table_name <> "
                + "'schema_version'"
        );
        var tables = new Dictionary<string, Table>();
        foreach (var group in columns.GroupBy(row => row.Table, row => row.Column))
        {
            var rows = await connection.QueryAsync<string>($"select to_jsonb(t)::text from electra.{group.Key} t");
            tables[group.Key] = new Table([.. group], [.. rows.Select(row => Without(row, []))]);
        }

        return tables;
    }

    /// <summary>Every column, constraint, index and enum value, a line each; the order of columns does not count.</summary>
    private static async Task<IReadOnlyList<string>> SchemaAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        return (
            await connection.QueryAsync<string>(
                """
                select concat_ws(' ', table_name, column_name, udt_name, is_nullable, coalesce(column_default, identity_generation)) as line
                    from information_schema.columns where table_schema = 'electra' and table_name <> 'schema_version'
                union all select concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint
                    where connamespace = 'electra'::regnamespace and conrelid::regclass::text not like '%schema_version'
                union all select indexdef from pg_indexes where schemaname = 'electra' and tablename <> 'schema_version'
                union all select concat_ws(' ', t.typname, e.enumlabel) from pg_enum e join pg_type t on t.oid = e.enumtypid
                order by line
                """
            )
        ).AsList();
    }

    private sealed record Table(IReadOnlyList<string> Columns, IReadOnlyList<string> Rows);

    private sealed record State(Dictionary<string, Table> Tables, IReadOnlyList<string> Schema);
}
