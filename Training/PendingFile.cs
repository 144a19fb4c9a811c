using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ElectraPipeline.Training;

/// <summary>
/// A file that appears under its name whole or not at all: written beside it as "name.partial", flushed to the disk, then renamed.
/// </summary>
/// <remarks>
/// Dispose without <see cref="Commit"/> deletes what was written. Where the name is that of a pipe or a device, as "/dev/stdout" is, it is
/// written to as it is: to put a file in its place would take it from everybody else.
/// </remarks>
internal sealed partial class PendingFile : IDisposable
{
    private const int ErrnoNoSpace = 28;

    /// <summary>
    /// So many bytes are flushed while more are written, so that little is left to wait for at the end: it is the disk's own cache that
    /// takes time, and to begin with writing the pages alone would not empty that.
    /// </summary>
    private const int FlushAhead = 32 << 20;

    private readonly string path;
    private readonly string temporary;
    private readonly bool durable;
    private readonly bool isFile;
    private readonly DiskStream stream;

    /// <summary>Starts writing the file that will be at <paramref name="path"/>; its folder exists.</summary>
    /// <param name="path">The final name.</param>
    /// <param name="durable">False: nothing waits for the disk, and a power cut may leave a damaged file under the name.</param>
    public PendingFile(string path, bool durable = true)
    {
        this.path = path;
        isFile = TakesAFile(path);
        this.durable = durable && isFile;
        temporary = isFile ? path + DurableFile.PartialSuffix : path;
        stream = new DiskStream(
            new FileStream(temporary, isFile ? FileMode.Create : FileMode.Append, FileAccess.Write, FileShare.Read, 1 << 16),
            path,
            this.durable ? FlushAhead : long.MaxValue
        );
    }

    /// <summary>
    /// What is written goes here, from front to back. A full disk throws an IOException that names the file and the free bytes.
    /// </summary>
    public Stream Stream => stream;

    /// <summary>Flushes, renames and flushes the folder: after it returns a durable file survives a power cut.</summary>
    public void Commit()
    {
        stream.Flush(durable);
        stream.Dispose();
        if (!isFile)
        {
            return;
        }

        File.Move(temporary, path, overwrite: true);
        if (durable)
        {
            DurableFolder.Sync(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        stream.Dispose();
        if (isFile)
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Whether nothing stands there, or something that a file may replace.</summary>
    private static bool TakesAFile(string path)
    {
        const int WorkingFolder = -100, // AT_FDCWD
            FollowLinks = 0;
        const uint Type = 1; // STATX_TYPE
        const int ModeOffset = 28,
            TypeBits = 0xF000,
            Pipe = 0x1000,
            CharacterDevice = 0x2000,
            BlockDevice = 0x6000,
            Socket = 0xC000;

        // "/dev/stdout" may lead to a file, which the shell has open and others write, too.
        string full = Path.GetFullPath(path);
        if (full.StartsWith("/dev/", StringComparison.Ordinal) && !full.StartsWith("/dev/shm/", StringComparison.Ordinal))
        {
            return !Path.Exists(full);
        }

        Span<byte> status = stackalloc byte[256];
        return !OperatingSystem.IsLinux()
            || Statx(WorkingFolder, full, FollowLinks, Type, status) != 0
            || (BinaryPrimitives.ReadUInt16LittleEndian(status[ModeOffset..]) & TypeBits)
                is not (Pipe or CharacterDevice or BlockDevice or Socket);
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, Span<byte> status);

    /// <summary>Names the file and the room that is left when the disk is full, which the runtime's message does not.</summary>
    private sealed class DiskStream(FileStream inner, string path, long flushAhead) : Stream
    {
        // Disposing a FileStream flushes its buffer; after a failed write that would fail again and hide the first error.
        private bool failed;
        private long written;
        private long begun;
        private Task flush = Task.CompletedTask;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => inner.Length;

        public override long Position
        {
            get => inner.Position;
            set => throw new NotSupportedException();
        }

        public override void Flush() => Flush(toDisk: false);

        public void Flush(bool toDisk) =>
            Guard(() =>
            {
                if (toDisk)
                {
                    // The system tells an error of the disk once: to whoever flushes next, here or ahead.
                    flush.GetAwaiter().GetResult();
                }

                inner.Flush(toDisk);
            });

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            try
            {
                inner.Write(buffer);
            }
            catch (IOException exception)
            {
                failed = true;
                throw Explained(exception);
            }

            written += buffer.Length;
            if (written - begun >= flushAhead && flush.IsCompletedSuccessfully)
            {
                begun = written;
                SafeFileHandle handle = inner.SafeFileHandle; // taken here, as it empties the stream's buffer
                flush = Task.Run(() => RandomAccess.FlushToDisk(handle));
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                ((IAsyncResult)flush).AsyncWaitHandle.WaitOne();
                try
                {
                    inner.Dispose();
                }
                catch (IOException exception) when (failed || exception.HResult == ErrnoNoSpace)
                {
                    inner.SafeFileHandle.Dispose();
                }
            }

            base.Dispose(disposing);
        }

        private void Guard(Action action)
        {
            try
            {
                action();
            }
            catch (IOException exception)
            {
                failed = true;
                throw Explained(exception);
            }
        }

        private IOException Explained(IOException exception)
        {
            if (exception.HResult != ErrnoNoSpace)
            {
                return exception;
            }

            long free = new DriveInfo(Path.GetDirectoryName(Path.GetFullPath(path))!).AvailableFreeSpace;
            return new IOException($"disk full while writing {path}: {free} bytes are free; free some space, then retry", exception);
        }
    }
}
