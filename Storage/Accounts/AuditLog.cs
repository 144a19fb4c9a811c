using Npgsql;

namespace ElectraPipeline.Storage.Accounts;

/// <summary>
/// Who did what and when, for ever; read by <see cref="ReadModels.Queries.DeedsAsync"/>. Stores record theirs with what they change.
/// </summary>
public sealed class AuditLog(NpgsqlDataSource dataSource)
{
    /// <summary>Records what changes no store: a login, a command of Hangfire's pages, a backup.</summary>
    /// <param name="actor">"user:NAME".</param>
    /// <param name="action">What was done.</param>
    /// <param name="detail">More for people; never a secret.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task RecordAsync(string actor, string action, string? detail, CancellationToken cancellationToken = default)
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        await transaction.AddEventAsync(null, null, actor, action, detail);
        await transaction.CommitAsync();
    }
}
