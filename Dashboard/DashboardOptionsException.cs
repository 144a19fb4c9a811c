namespace ElectraPipeline.Dashboard;

/// <summary>The dashboard's options are malformed, or would open it to the network without a token. The message says what to do.</summary>
public sealed class DashboardOptionsException(string message) : Exception(message);
