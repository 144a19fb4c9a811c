using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace ElectraPipeline.Training.Corpus;

/// <summary>One open source file: its bytes, decompressed, and the first of them to recognize the format by.</summary>
/// <remarks>Compression is told by magic bytes, never by the name: gzip with any number of members, zstd with any number of frames.</remarks>
internal sealed class SourceContent : IDisposable
{
    private const int HeadBytes = 4096;

    // 2^27 = 128 MiB: what the zstd tool itself accepts without being asked for more.
    private const int ZstdWindowLog = 27;
    private readonly SourceFile file;
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly MeteredStream raw;
    private readonly MeteredStream decompressed;
    private readonly byte[] head;

    /// <summary>Opens the file; <paramref name="onRead"/> hears of every chunk of bytes that leaves the disk.</summary>
    public SourceContent(SourceFile file, Action<long>? onRead)
    {
        this.file = file;
        raw = new MeteredStream(File.OpenRead(file.Path), hash, onRead);
        byte[] magic = new byte[4];
        int read = raw.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        decompressed = new MeteredStream(Decompress(magic.AsSpan(0, read), new PrefixedStream(magic[..read], raw)));
        head = new byte[HeadBytes];
        try
        {
            head = head[..decompressed.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false)];
        }
        catch (Exception exception) when (IsDamage(exception))
        {
            // Shorter than the head and damaged: the reader meets the same damage when it reads on.
            head = head[..(int)Math.Min(decompressed.BytesRead, HeadBytes)];
        }

        Stream = new PrefixedStream(head, decompressed);
    }

    /// <summary>The file's name, as documents and rejects give it.</summary>
    public string Name => file.Name;

    /// <summary>The last ending of the name that is not one of a compression, with its dot, in lower case; "" if there is none.</summary>
    public string Extension
    {
        get
        {
            string name = Path.GetFileName(file.Name).ToLowerInvariant();
            string last = Path.GetExtension(name);
            return last is ".gz" or ".zst" ? Path.GetExtension(name[..^last.Length]) : last;
        }
    }

    /// <summary>The first bytes, decompressed; at most 4 KiB.</summary>
    public ReadOnlySpan<byte> Head => head;

    /// <summary>The decompressed bytes from the first on.</summary>
    public Stream Stream { get; }

    /// <summary>Decompressed bytes that have been read; readers buffer, so damage lies at or a little before it.</summary>
    public long Position => decompressed.BytesRead;

    /// <summary>The text as UTF-8 without byte-order mark, and how many bytes the mark took. UTF-16 with a mark is converted.</summary>
    public (Stream Stream, int MarkBytes) OpenText()
    {
        if (Head.StartsWith(Encoding.UTF8.Preamble))
        {
            Stream.ReadExactly(new byte[3]);
            return (Stream, 3);
        }

        bool little = Head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]);
        bool big = Head.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]);
        if (!little && !big)
        {
            return (Stream, 0);
        }

        Stream.ReadExactly(new byte[2]);
        var utf16 = new UnicodeEncoding(big, byteOrderMark: false, throwOnInvalidBytes: true);
        return (Encoding.CreateTranscodingStream(Stream, utf16, new UTF8Encoding(false)), 0);
    }

    /// <summary>Reads the rest and compares the file's hash with the one it was listed under.</summary>
    /// <exception cref="IOException">The file changed after it was listed; trying again lists it anew.</exception>
    public void CheckUnchanged()
    {
        raw.CopyTo(Stream.Null);
        string now = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (now != file.Sha256)
        {
            throw new IOException($"{file.Path} changed while it was read (SHA-256 {file.Sha256}, then {now}); let it rest and retry");
        }
    }

    /// <summary>Whether an exception means that the bytes are damaged (not that the disk cannot be read).</summary>
    public static bool IsDamage(Exception exception) => exception
        is InvalidDataException or EndOfStreamException or ZstdException or DecoderFallbackException or System.Xml.XmlException;

    /// <inheritdoc/>
    public void Dispose()
    {
        decompressed.Dispose();
        raw.Dispose();
        hash.Dispose();
    }

    private static Stream Decompress(ReadOnlySpan<byte> magic, Stream bytes)
    {
        if (magic.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
        {
            return new GZipStream(bytes, CompressionMode.Decompress);
        }

        bool skippable = magic.Length == 4 && (magic[0] & 0xF0) == 0x50 && magic[1..].SequenceEqual((ReadOnlySpan<byte>)[0x2A, 0x4D, 0x18]);
        if (skippable || magic.SequenceEqual((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]))
        {
            var zstd = new DecompressionStream(bytes, checkEndOfStream: true);
            zstd.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, ZstdWindowLog);
            return zstd;
        }

        return bytes;
    }

    /// <summary>Gives bytes that were read ahead once more, then the rest.</summary>
    private sealed class PrefixedStream(byte[] prefix, Stream rest) : Stream
    {
        private int given;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            if (given == prefix.Length)
            {
                return rest.Read(buffer);
            }

            int count = Math.Min(buffer.Length, prefix.Length - given);
            prefix.AsSpan(given, count).CopyTo(buffer);
            given += count;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
