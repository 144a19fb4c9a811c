namespace ElectraPipeline.Cli;

/// <summary>
/// The user asked for something that cannot be; the message says what and the remedy. Ends in <see cref="ExitCode.WrongUse"/>.
/// </summary>
internal sealed class UsageException(string message) : Exception(message);
