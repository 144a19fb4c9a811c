namespace ElectraPipeline.Storage.Artifacts;

/// <summary>The rows that name sealed folders.</summary>
internal static class ArtifactRows
{
    /// <summary>
    /// The condition that a registered dataset or model version needs the digest that the SQL <paramref name="digest"/> gives.
    /// </summary>
    public static string IsOfVersion(string digest) =>
        $"""
            (exists (select 1 from dataset_version v where {digest} in (v.corpus, v.vocabulary) or {digest} = any(v.shards))
                or exists (select 1 from model_version v where v.artifact = {digest} or v.finetuned::text like '%' || {digest} || '%'))
            """;

    /// <summary>
    /// Names a sealed folder in a transaction. A lock by digest keeps the garbage collector from removing the same content between our
    /// look at the folder and the commit.
    /// </summary>
    /// <exception cref="IOException">The collector was faster; the work must be sealed again.</exception>
    public static async Task AddAsync(StorageTransaction transaction, ArtifactStore store, SealedArtifact artifact)
    {
        await transaction.ExecuteAsync("select pg_advisory_xact_lock_shared(hashtextextended(@Digest, 0))", new { artifact.Digest });
        if (!store.Contains(artifact.Digest))
        {
            throw new IOException($"the sealed folder {store.PathOf(artifact.Digest)} is gone; the stage must make it again");
        }

        await transaction.ExecuteAsync(
            "insert into artifact (digest, kind, bytes, files) values (@Digest, @Kind, @Bytes, @Files) on conflict do nothing",
            artifact
        );
    }
}
