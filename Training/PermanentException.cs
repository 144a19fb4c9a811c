namespace ElectraPipeline.Training;

/// <summary>
/// Trying again cannot help: bad configuration, corrupt input, diverged training. The message says what, the value, and what to do.
/// </summary>
public sealed class PermanentException : Exception
{
    /// <summary>Makes one with a message for the user.</summary>
    public PermanentException(string message)
        : base(message) { }

    /// <summary>Makes one with a message for the user and the cause.</summary>
    public PermanentException(string message, Exception inner)
        : base(message, inner) { }
}
