using System.Text;

namespace ElectraPipeline.Training;

/// <summary>Files that are either whole under their name or not there, even after a crash or a power cut.</summary>
public static class DurableFile
{
    /// <summary>What the name of an unfinished file or folder ends with. Readers ignore such names.</summary>
    public const string PartialSuffix = ".partial";

    /// <summary>
    /// Writes a file: to <c>path.partial</c>, flushed to the disk, renamed over <paramref name="path"/>, and the rename flushed too.
    /// Missing folders are made. If <paramref name="write"/> throws, what stood at <paramref name="path"/> before still does.
    /// </summary>
    /// <exception cref="IOException">The disk is full (the message says how many bytes are free) or cannot be written.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using var file = new PendingFile(path);
        write(file.Stream);
        file.Commit();
    }

    /// <summary>The same for bytes at hand.</summary>
    public static void Write(string path, ReadOnlyMemory<byte> content) => Write(path, stream => stream.Write(content.Span));

    /// <summary>Writes UTF-8 text without a byte-order mark, as <see cref="Write(string, Action{Stream})"/> does.</summary>
    public static void WriteText(string path, string text) => Write(path, Encoding.UTF8.GetBytes(text));
}
