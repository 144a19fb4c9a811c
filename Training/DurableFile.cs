namespace ElectraPipeline.Training;

/// <summary>Files that are seen whole or not at all.</summary>
public static class DurableFile
{
    /// <summary>What the name of an unfinished file or folder ends with. Readers ignore such names.</summary>
    public const string PartialSuffix = ".partial";

    /// <summary>
    /// Writes <paramref name="path"/> through a temporary file in the same folder: content, fsync, rename, fsync of the folder. A reader,
    /// or a machine that comes up after a power cut, finds the old file or the new one, never a part.
    /// </summary>
    /// <exception cref="IOException">The folder is missing or full; the temporary file is gone again.</exception>
    public static void Write(string path, Action<Stream> content)
    {
        string temporary = path + PartialSuffix;
        try
        {
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16))
            {
                content(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        DurableFolder.Sync(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>The same for bytes at hand.</summary>
    public static void Write(string path, ReadOnlyMemory<byte> content) => Write(path, stream => stream.Write(content.Span));
}
