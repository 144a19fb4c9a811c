using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ElectraPipeline.Training;

/// <summary>
/// A file that appears under its name whole or not at all: written beside it as "name.partial", flushed to the disk, then renamed.
/// </summary>
/// <remarks>Dispose without <see cref="Commit"/> deletes what was written.</remarks>
internal sealed partial class PendingFile : IDisposable
{
    private const int ErrnoNoSpace = 28;

    /// <summary>The disk is told to begin with every so many bytes, so that little is left to wait for at the end.</summary>
    private const int FlushAhead = 8 << 20;

    private readonly string path;
    private readonly string temporary;
    private readonly bool durable;
    private readonly DiskStream stream;

    /// <summary>Starts writing the file that will be at <paramref name="path"/>; its folder exists.</summary>
    /// <param name="path">The final name.</param>
    /// <param name="durable">False: nothing waits for the disk, and a power cut may leave a damaged file under the name.</param>
    public PendingFile(string path, bool durable = true)
    {
        this.path = path;
        this.durable = durable;
        temporary = path + DurableFile.PartialSuffix;
        stream = new DiskStream(
            new FileStream(temporary, FileMode.Create, FileAccess.ReadWrite, FileShare.Read, 1 << 16),
            path,
            durable ? FlushAhead : long.MaxValue
        );
    }

    /// <summary>Opens what was written and flushed so far for reading; stays readable when the file gets its name.</summary>
    public FileStream OpenWritten() => new(temporary, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1 << 16);

    /// <summary>What is written goes here. Seekable. A full disk throws an IOException that names the file and the free bytes.</summary>
    public Stream Stream => stream;

    /// <summary>Flushes, renames and flushes the folder: after it returns a durable file survives a power cut.</summary>
    public void Commit()
    {
        stream.Flush(durable);
        stream.Dispose();
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
        File.Delete(temporary);
    }

    /// <summary>Names the file and the room that is left when the disk is full, which the runtime's message does not.</summary>
    private sealed partial class DiskStream(FileStream inner, string path, long flushAhead) : Stream
    {
        private const uint BeginWriting = 2; // SYNC_FILE_RANGE_WRITE

        // Disposing a FileStream flushes its buffer; after a failed write that would fail again and hide the first error.
        private bool failed;
        private long written;
        private long begun;

        public override bool CanRead => false;

        public override bool CanSeek => true;

        public override bool CanWrite => true;

        public override long Length => inner.Length;

        public override long Position
        {
            get => inner.Position;
            set => Seek(value, SeekOrigin.Begin);
        }

        public override void Flush() => Flush(toDisk: false);

        public void Flush(bool toDisk) => Guard(() => inner.Flush(toDisk));

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin)
        {
            long position = 0;
            Guard(() => position = inner.Seek(offset, origin));
            return position;
        }

        public override void SetLength(long value) => Guard(() => inner.SetLength(value));

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
            if (written - begun >= flushAhead)
            {
                BeginFlush();
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
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

        /// <summary>A hint, for what is written from front to back: what becomes of it shows when the file is flushed.</summary>
        private void BeginFlush()
        {
            if (OperatingSystem.IsLinux())
            {
                _ = SyncFileRange(inner.SafeFileHandle, begun, written - begun, BeginWriting);
            }

            begun = written;
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

        [LibraryImport("libc", EntryPoint = "sync_file_range")]
        private static partial int SyncFileRange(SafeFileHandle file, long offset, long bytes, uint flags);
    }
}
