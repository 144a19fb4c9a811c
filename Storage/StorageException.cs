namespace ElectraPipeline.Storage;

/// <summary>Storage cannot be opened or a request to it makes no sense. The message says what, the value, and what to do.</summary>
public class StorageException : Exception
{
    /// <summary>Makes one with a message for the user.</summary>
    public StorageException(string message)
        : base(message) { }

    /// <summary>Makes one with a message for the user and the cause.</summary>
    public StorageException(string message, Exception? inner)
        : base(message, inner) { }
}
