using System.Runtime.InteropServices;
using System.Text.Json;
using Dapper;
using ElectraPipeline.TestSupport;
using Npgsql;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.Upgrade;

/// <summary>
/// What earlier commits left when their worker was killed in the middle of pre-training (archives of make.sh: database with Hangfire's
/// jobs, sealed folders, a checkpoint at step 200 of 600) is migrated and finished by this one.
/// </summary>
public sealed class UpgradeTests(PostgresFixture postgres) : IDisposable
{
    private const string Restored = "ingest vocabulary tokenize[0000] tokenize[0001]";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <param name="archive">What is upgraded.</param>
    /// <param name="saying">
    /// What pre-training says first. Since the first schema pre-training has got options, and fingerprints were of all options then: it
    /// starts anew and says why. Since then only options that are set count; raising the stage's code version needs another archive.
    /// </param>
    [Theory]
    [InlineData("first-schema.tar.gz", "starts anew: the checkpoint at step 200 is of other work")]
    [InlineData("options-that-are-set.tar.gz", "continues from the checkpoint at step 200")]
    public async Task ARunOfAnEarlierVersionEndsWithTheSameWeights(string archive, string saying)
    {
        string connectionString = await UpgradeArchive.RestoreAsync(postgres, archive, folder["left"]);
        Directory.Move(folder["left/objects"], Path.Combine(Directory.CreateDirectory(folder["data"]).FullName, "objects"));
        await using var database = NpgsqlDataSource.Create(connectionString);
        var before = await StagesAsync(database);
        Assert.Equal("running", before["pretrain"].State);
        Assert.Equal(Restored, string.Join(' ', before.Where(stage => stage.Value.State == "succeeded").Select(stage => stage.Key)));

        using var project = new TinyProject(folder["data"], connectionString);
        using StartedProcess worker = project.Start("worker");
        await TinyProject.WaitForAsync(async () => await project.StateAsync() == "succeeded", worker);

        var after = await StagesAsync(database);
        Assert.All(Restored.Split(' '), name => Assert.Equal(before[name], after[name]));
        Assert.Equal(2, after["pretrain"].Attempt);
        await using NpgsqlConnection connection = await database.OpenConnectionAsync(TestContext.Current.CancellationToken);
        var log = (
            await connection.QueryAsync<string>("select line from electra.stage_log where stage_run_id = 5 and attempt = 2 order by id")
        ).AsList();
        Assert.StartsWith(saying, log[0]);
        AssertWeights(after["pretrain"].Output!);
        Assert.Equal(["fsync = off"], await FaultsAsync(project)); // of the tests' own server
        Assert.Contains("\"tiny\"", (await project.SucceedAsync("models", "--json")).Output);
        Assert.Equal(5, await connection.ExecuteScalarAsync<int>("select count(*) from hangfire.job where id <= 5")); // its history is kept
        Assert.Contains("run 2 is submitted", (await project.SucceedAsync("run", project.Config)).Error); // and more can be begun
    }

    private static async Task<IEnumerable<string?>> FaultsAsync(TinyProject project)
    {
        using var findings = JsonDocument.Parse((await project.RunAsync("doctor", "--deep", "--json")).Output);
        return
        [
            .. findings
                .RootElement.EnumerateArray()
                .Where(finding => finding.GetProperty("severity").GetString() == "fault")
                .Select(finding => finding.GetProperty("detail").GetString()),
        ];
    }

    private static async Task<IReadOnlyDictionary<string, StageThen>> StagesAsync(NpgsqlDataSource database)
    {
        await using NpgsqlConnection connection = await database.OpenConnectionAsync();
        return (
            await connection.QueryAsync<(string Name, string State, int Attempt, string? Output, DateTime? Finished)>(
                """
                select stage || case when shard = '' then '' else '[' || shard || ']' end, state::text, attempt, output_digest, finished_at
                from electra.stage_run order by ordinal
                """
            )
        ).ToDictionary(row => row.Name, row => new StageThen(row.State, row.Attempt, row.Output, row.Finished));
    }

    /// <summary>Every value as the earlier commit itself ended with: to the bit on a processor like the one it ran on.</summary>
    private void AssertWeights(string digest)
    {
        var expected = Weights(folder["left/expected.safetensors"]);
        var found = Weights(folder[$"data/objects/{digest[..2]}/{digest}/discriminator/model.safetensors"]);
        Assert.Equal(expected.Keys.Order(), found.Keys.Order());
        bool isSameProcessor = File.ReadLines("/proc/cpuinfo")
            .Contains($"model name\t: {File.ReadAllText(folder["left/processor.txt"]).Trim()}");
        float tolerance = isSameProcessor ? 0 : 0.01f;
        foreach (var (name, values) in expected)
        {
            float apart = values.Zip(found[name], (a, b) => Math.Abs(a - b)).Max();
            Assert.True(apart <= tolerance, $"{name} is {apart} from what was expected; allowed are {tolerance}");
        }
    }

    /// <summary>The tensors of a safetensors file of 32-bit floats: length of the header, header in JSON, values.</summary>
    private static Dictionary<string, float[]> Weights(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        int start = 8 + (int)BitConverter.ToInt64(bytes);
        using var header = JsonDocument.Parse(bytes.AsMemory(8, start - 8));
        return header
            .RootElement.EnumerateObject()
            .Where(tensor => tensor.Name != "__metadata__")
            .ToDictionary(
                tensor => tensor.Name,
                tensor =>
                {
                    Assert.Equal("F32", tensor.Value.GetProperty("dtype").GetString());
                    int[] offsets = [.. tensor.Value.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt32())];
                    return MemoryMarshal.Cast<byte, float>(bytes.AsSpan((start + offsets[0])..(start + offsets[1]))).ToArray();
                }
            );
    }

    private sealed record StageThen(string State, int Attempt, string? Output, DateTime? Finished);
}
