using Dapper;
using Npgsql;

namespace ElectraPipeline.Storage.Artifacts;

/// <summary>
/// A bucket for sealed folders, <c>s3://BUCKET/PREFIX?endpoint=https://HOST&amp;region=REGION</c>. Without an endpoint it is Amazon's.
/// Credentials are no part of it: they come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN).
/// </summary>
/// <param name="Bucket">Its name.</param>
/// <param name="Prefix">What every key begins with; empty, or without a slash at either end.</param>
/// <param name="Endpoint">The server; null: Amazon's.</param>
/// <param name="Region">Region that requests are signed for.</param>
internal sealed record ArtifactLocation(string Bucket, string Prefix, Uri? Endpoint, string Region)
{
    private const string Form = "s3://BUCKET/PREFIX, with ?endpoint=https://HOST for a server other than Amazon's and &region=REGION";

    /// <summary>What people read: bucket and prefix.</summary>
    public string DisplayName => Prefix.Length == 0 ? $"s3://{Bucket}" : $"s3://{Bucket}/{Prefix}";

    /// <summary>Reads the text of a setting; null: none, so a folder.</summary>
    /// <exception cref="StorageException">It is something else, or holds credentials; the message then does not repeat them.</exception>
    public static ArtifactLocation? Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) || uri.Scheme != "s3")
        {
            throw new StorageException($"the place for artifacts is no URL of a bucket; write {Form}, or leave it out for a folder");
        }

        var query = uri
            .Query.TrimStart('?')
            .Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(part => part.Split('=', 2))
            .ToDictionary(part => part[0], part => Uri.UnescapeDataString(part[^1]));
        Uri? endpoint = query.Remove("endpoint", out string? server) ? new Uri(server, UriKind.RelativeOrAbsolute) : null;
        if (uri.UserInfo.Length > 0 || endpoint is { IsAbsoluteUri: true, UserInfo.Length: > 0 })
        {
            throw new StorageException(
                "the place for artifacts holds credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead, which others "
                    + "cannot see"
            );
        }

        query.Remove("region", out string? region);
        string prefix = Uri.UnescapeDataString(uri.AbsolutePath).Trim('/');
        bool isWellFormed =
            uri.Host.Length > 0 && query.Count == 0 && endpoint is null or { IsAbsoluteUri: true, Scheme: "http" or "https" };
        return isWellFormed && !prefix.Split('/').Contains("..")
            ? new ArtifactLocation(uri.Host, prefix, endpoint, region ?? "us-east-1")
            : throw new StorageException($"'{uri.Host}{uri.PathAndQuery}' names no place for artifacts; write {Form}");
    }

    /// <summary>The text that <see cref="Parse"/> reads.</summary>
    public string ToText() =>
        $"{DisplayName}?region={Uri.EscapeDataString(Region)}"
        + (Endpoint is null ? "" : $"&endpoint={Uri.EscapeDataString(Endpoint.OriginalString)}");

    /// <summary>
    /// The place that all processes of a database use: the one that it remembers, or <paramref name="given"/> while it holds no artifact.
    /// A process reaches the same bucket by an endpoint of its own if it says so.
    /// </summary>
    /// <exception cref="StorageException">The database's artifacts are elsewhere than <paramref name="given"/> says.</exception>
    public static async Task<ArtifactLocation?> AgreeAsync(
        NpgsqlDataSource dataSource,
        ArtifactLocation? given,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        if (given is not null)
        {
            await connection.ExecuteAsync(
                """
                insert into artifact_location (url) select @url where not exists (select 1 from artifact)
                on conflict (singleton) do update set url = excluded.url where not exists (select 1 from artifact)
                """,
                new { url = given.ToText() }
            );
        }

        ArtifactLocation? known = Parse(await connection.ExecuteScalarAsync<string?>("select url from artifact_location"));
        return given is null || (known is not null && known.DisplayName == given.DisplayName)
            ? given ?? known
            : throw new StorageException(
                $"the artifacts of this database are in {known?.DisplayName ?? "the data folder"}, not in {given.DisplayName}. Name "
                    + "that place, or move "
                    + "them: electra backup, then electra restore with the new place"
            );
    }

    /// <summary>Makes the database remember another place; null: the data folder.</summary>
    public static async Task RememberAsync(NpgsqlDataSource dataSource, ArtifactLocation? location, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            "delete from artifact_location; insert into artifact_location (url) select @url::text where @url::text is not null",
            new { url = location?.ToText() }
        );
    }
}
