using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using System.Text;
using ElectraPipeline.Training.Corpus.Cache;
using Microsoft.Win32.SafeHandles;
using ZstdSharp;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>One open source file: its bytes, decompressed, and the first of them to recognize the format by.</summary>
internal sealed class SourceContent : IDisposable
{
    private const int HeadBytes = 4096;

    private readonly SourceFile file;
    private readonly int maxExpansion;

    /// <summary>Of the bytes read; null: that the file does not change is told by its time of modification.</summary>
    private readonly IncrementalHash? hash;
    private readonly MeteredStream raw;
    private readonly MeteredStream decompressed;
    private readonly byte[] head;

    /// <summary>Opens the file.</summary>
    /// <param name="file">From <see cref="SourceFiles.Resolve"/>.</param>
    /// <param name="maxExpansion">See <see cref="CorpusOptions.MaxExpansion"/>.</param>
    /// <param name="onRead">Hears of every chunk of bytes that leaves the disk.</param>
    public SourceContent(SourceFile file, int maxExpansion, Action<long>? onRead)
    {
        this.file = file;
        this.maxExpansion = maxExpansion;
        FileStream stream = CheckedFile.Open(file.Path, file.Allowed);
        Handle = stream.SafeFileHandle;
        hash = FileDigests.Vouch(file.Path, Handle, file.Sha256) ? null : IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        raw = new MeteredStream(stream, hash, onRead);
        byte[] magic = new byte[Decompression.MagicBytes];
        magic = magic[..raw.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false)];
        var bytes = new PrefixedStream(magic, raw);
        Stream? opened = Decompression.Open(magic, bytes, file.Length);
        IsCompressed = opened is not null;
        decompressed = new MeteredStream(opened ?? bytes, onRead: IsCompressed ? RefuseBomb : null);
        head = new byte[HeadBytes];
        Stream rest = decompressed;
        try
        {
            head = head[..decompressed.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false)];
        }
        catch (Exception exception) when (IsDamage(exception))
        {
            head = head[..(int)Math.Min(decompressed.BytesRead, HeadBytes)];
            rest = new DamagedStream(exception);
        }

        Stream = new PrefixedStream(head, rest);
    }

    /// <summary>The file's name, as documents and rejects give it.</summary>
    public string Name => file.Name;

    /// <summary>The open file, for formats that cannot be read from front to back.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Whether the file is in one of the compressions of <see cref="Decompression"/>.</summary>
    public bool IsCompressed { get; }

    /// <summary>The last ending of the name that is not one of a compression, with its dot, in lower case; "" if there is none.</summary>
    public string Extension
    {
        get
        {
            string name = System.IO.Path.GetFileName(file.Name).ToLowerInvariant();
            string last = System.IO.Path.GetExtension(name);
            return Decompression.Extensions.Contains(last) ? System.IO.Path.GetExtension(name[..^last.Length]) : last;
        }
    }

    /// <summary>The first bytes, decompressed; at most 4 KiB. Without a byte-order mark, and UTF-16 that has one as UTF-8.</summary>
    public ReadOnlySpan<byte> Head =>
        head.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? head.AsSpan(3)
        : Utf16 is { } utf16 ? Encoding.UTF8.GetBytes(utf16.GetString(head.AsSpan(2)))
        : head;

    /// <summary>The decompressed bytes from the first on.</summary>
    public Stream Stream { get; }

    /// <summary>Decompressed bytes that have been read; readers buffer, so damage lies at or a little before it.</summary>
    public long Position => decompressed.BytesRead;

    /// <summary>UTF-16 of the byte order that the file's mark tells; null if it has no such mark.</summary>
    private UnicodeEncoding? Utf16 =>
        head.AsSpan().StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) ? new UnicodeEncoding(bigEndian: false, byteOrderMark: false)
        : head.AsSpan().StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]) ? new UnicodeEncoding(bigEndian: true, byteOrderMark: false)
        : null;

    /// <summary>The text as UTF-8 without byte-order mark, and how many bytes the mark took. UTF-16 with a mark is converted.</summary>
    public (Stream Stream, int MarkBytes) OpenText()
    {
        if (head.AsSpan().StartsWith(Encoding.UTF8.Preamble))
        {
            Stream.ReadExactly(new byte[3]);
            return (Stream, 3);
        }

        if (Utf16 is not { } utf16)
        {
            return (Stream, 0);
        }

        Stream.ReadExactly(new byte[2]);
        var strict = (Encoding)utf16.Clone();
        strict.DecoderFallback = DecoderFallback.ExceptionFallback;
        return (Encoding.CreateTranscodingStream(Stream, strict, new UTF8Encoding(false)), 0);
    }

    /// <summary>
    /// Reads the rest and compares the file's hash with the one it was listed under, or its time of modification with the one it had then.
    /// </summary>
    /// <exception cref="IOException">The file changed after it was listed; trying again lists it anew.</exception>
    public void CheckUnchanged()
    {
        raw.CopyTo(Stream.Null);
        string? now = hash is null ? null : Convert.ToHexStringLower(hash.GetHashAndReset());
        if (hash is null ? !FileDigests.Vouch(file.Path, Handle, file.Sha256) : now != file.Sha256)
        {
            FileDigests.Forget(file.Path);
            throw CheckedFile.Changed(file.Path, file.Sha256, now);
        }
    }

    /// <summary>Whether an exception means that the bytes are damaged (not that the disk cannot be read).</summary>
    public static bool IsDamage(Exception exception) =>
        exception
            is DamagedSourceException
                or InvalidDataException
                or EndOfStreamException
                or ZstdException
                or DecoderFallbackException
                or System.Xml.XmlException;

    /// <inheritdoc/>
    public void Dispose()
    {
        decompressed.Dispose();
        raw.Dispose();
        hash?.Dispose();
    }

    private void RefuseBomb(long read)
    {
        long size = decompressed.BytesRead;
        if (Expansion.IsBomb(raw.BytesRead, size, maxExpansion))
        {
            throw new DamagedSourceException(
                "expansion-limit",
                $"{raw.BytesRead} bytes grew to {size}, more than the {maxExpansion} times that corpus.maxExpansion allows: a "
                    + "decompression bomb, or raise the option"
            );
        }
    }

    /// <summary>Damage within the head, which the reader is to meet behind the bytes before it.</summary>
    private sealed class DamagedStream(Exception damage) : ReadOnlyStream
    {
        public override int Read(Span<byte> buffer)
        {
            ExceptionDispatchInfo.Throw(damage);
            return 0;
        }
    }
}
