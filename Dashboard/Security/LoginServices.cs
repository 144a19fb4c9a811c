using ElectraPipeline.Storage.Accounts;

namespace ElectraPipeline.Dashboard.Security;

/// <summary>What a login needs.</summary>
internal sealed record LoginServices(
    AccountStore Accounts,
    AuditLog Audit,
    LoginThrottle Throttle,
    KnownBrowser Browsers,
    LoginRefusals Refusals
);
