using ElectraPipeline.Storage.Registry;
using ElectraPipeline.Storage.Runs;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.Storage.Tests;

public sealed class ModelRegistryTests(PostgresFixture postgres)
{
    [Fact]
    public async Task VersionsHaveNoGapsHoweverManyRegisterAtOnce()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (runId, stages) = await testing.CreateAsync(3, [.. Enumerable.Range(0, 12).Select(_ => Array.Empty<int>())]);
        await Task.WhenAll(
            stages.Select((stage, i) => RegisterAsync(testing, runId, stage, auc: i == 5 ? 0.9 : 0.5 - (i * 0.01), fails: i % 4 == 3))
        );

        var models = await testing.Storage.Queries.ModelVersionsAsync("m");
        Assert.Equal(Enumerable.Range(1, 9).Reverse(), models.Select(model => model.Version));
        var dataset = Assert.Single(await testing.Storage.Queries.DatasetVersionsAsync());
        Assert.Equal(1, dataset.Version);
        Assert.Equal(9, (await testing.Storage.Queries.ModelVersionAsync("m", "latest"))!.Version);
        Assert.Contains("0.9", (await testing.Storage.Queries.ModelVersionAsync("m", "champion"))!.Metrics);

        await testing.Storage.Registry.SetAliasAsync("m", "champion", 1, "user:test");
        Assert.Contains("champion", (await testing.Storage.Queries.ModelVersionAsync("m", "1"))!.Aliases);
        await Assert.ThrowsAsync<StorageException>(() => testing.Storage.Registry.SetAliasAsync("m", "champion", 99, "user:test"));
    }

    [Fact]
    public async Task AnImportedModelHasNoRunButAnOriginAndIsKept()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        string work = testing.Storage.Artifacts.CreateWorkFolder("import.1");
        await File.WriteAllTextAsync(Path.Combine(work, "model"), "weights", TestContext.Current.CancellationToken);
        var artifact = testing.Storage.Artifacts.Seal(work, "model");
        var model = new NewModelVersion(
            "m",
            artifact.Digest,
            "{}",
            "{}",
            null,
            null,
            "{}",
            "1",
            null,
            "",
            """{"imported": {"format": "x"}}"""
        );
        Assert.Equal(
            1,
            await testing.Storage.Registry.ImportModelAsync(model, artifact, "user:test", TestContext.Current.CancellationToken)
        );
        Assert.Equal(
            2,
            await testing.Storage.Registry.ImportModelAsync(model, artifact, "user:test", TestContext.Current.CancellationToken)
        );

        var row = (await testing.Storage.Queries.ModelVersionAsync("m", "latest", TestContext.Current.CancellationToken))!;
        Assert.Equal((2, null, null), (row.Version, row.RunId, row.Dataset));
        Assert.Contains("imported", row.Source);
        Assert.Contains(
            "champion",
            (await testing.Storage.Queries.ModelVersionAsync("m", "1", TestContext.Current.CancellationToken))!.Aliases
        );
        Assert.False(await testing.Storage.Garbage.RemoveUnnamedAsync(artifact.Digest, TestContext.Current.CancellationToken));
        Assert.Null(testing.Storage.Artifacts.Verify(artifact.Digest));
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() =>
            testing.Storage.Registry.ImportModelAsync(
                model with
                {
                    Source = null,
                },
                artifact,
                "user:test",
                TestContext.Current.CancellationToken
            )
        );
    }

    private static async Task RegisterAsync(StorageTesting testing, long runId, long stage, double auc, bool fails)
    {
        var lease = (await testing.ClaimAsync(stage))!;
        var artifact = testing.Seal(lease, "same for all");
        var complete = testing.Storage.Leases.CompleteAsync(
            lease,
            new StageOutput($"{stage}", artifact, null),
            async transaction =>
            {
                int dataset = await ModelRegistry.AddDatasetAsync(
                    transaction,
                    new NewDatasetVersion("d", "digest", artifact.Digest, artifact.Digest, [artifact.Digest], "{}", runId)
                );
                int version = await ModelRegistry.AddModelAsync(
                    transaction,
                    new NewModelVersion(
                        "m",
                        artifact.Digest,
                        "{}",
                        FormattableString.Invariant($"{{\"auc\": {auc}}}"),
                        "d",
                        dataset,
                        "{}",
                        "1",
                        runId,
                        "auc"
                    )
                );
                return fails ? throw new InvalidOperationException("dies before the commit") : $"{{\"version\": {version}}}";
            }
        );
        if (fails)
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => complete);
        }
        else
        {
            Assert.Contains("version", (await complete) is null ? "" : (await testing.Storage.Queries.StageAsync(stage))!.Result);
        }
    }
}
