using System.Buffers;
using System.Text;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Corpus.Readers;

namespace ElectraPipeline.Training.Shards;

/// <summary>A piece of a text file that holds whole documents.</summary>
/// <param name="Number">Its place among all pieces of all files, counted from 0.</param>
/// <param name="Source">The file.</param>
/// <param name="Offset">Byte of the file where it begins.</param>
/// <param name="Text">Its bytes.</param>
internal sealed record TextChunk(int Number, string Source, long Offset, ReadOnlyMemory<byte> Text) : TextPiece(Number, Text);

/// <summary>
/// Hands out text files in pieces of about 256 KiB, cut at blank lines: where they are cut is a function of the files alone. Safe for
/// several threads.
/// </summary>
internal sealed class TextChunks(IReadOnlyList<string> files) : IDisposable
{
    private const int ChunkBytes = 1 << 18;

    /// <summary>A document without end is cut at the line that passes this.</summary>
    private const int MaxBytes = 64 << 20;

    private readonly Lock turn = new();
    private int file = -1;
    private int number;
    private FileStream? stream;
    private long position;

    /// <summary>The next piece; null: there is none.</summary>
    public TextChunk? Next()
    {
        lock (turn)
        {
            while (true)
            {
                if (stream is null || position >= stream.Length)
                {
                    stream?.Dispose();
                    if (++file >= files.Count)
                    {
                        stream = null;
                        file--;
                        return null;
                    }

                    stream = new FileStream(files[file], FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
                    position = SkipMark();
                    continue;
                }

                return Read();
            }
        }
    }

    public void Dispose() => stream?.Dispose();

    private TextChunk Read()
    {
        long left = stream!.Length - position;
        for (int size = ChunkBytes; ; size *= 2)
        {
            int length = (int)Math.Min(size, left);
            byte[] bytes = ArrayPool<byte>.Shared.Rent(length);
            stream.Position = position;
            stream.ReadExactly(bytes, 0, length);
            int end = length == left ? length : PlainTextCutter.EndOfWholeDocuments(bytes.AsSpan(0, length));
            if (end == 0 && size >= MaxBytes)
            {
                end = bytes.AsSpan(0, length).LastIndexOf((byte)'\n') + 1;
                end =
                    end > 0
                        ? end
                        : throw new PermanentException(
                            $"{files[file]}, byte {position}: {size:N0} bytes without a line feed; is this file text?"
                        );
            }

            if (end > 0)
            {
                var chunk = new TextChunk(number++, files[file], position, bytes.AsMemory(0, end));
                position += end;
                return chunk;
            }

            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>Steps over a byte-order mark of UTF-8; refuses the files that only ingestion can read.</summary>
    private int SkipMark()
    {
        Span<byte> head = stackalloc byte[Decompression.MagicBytes];
        head = head[..stream!.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        bool wide = head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || head.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]);
        return (wide ? "UTF-16" : Decompression.NameOf(head)) is { } other
                ? throw new PermanentException(
                    $"{files[file]} is {other}; shards are built from plain UTF-8 text only. Convert it, or use a run, whose "
                        + "ingestion reads it"
                )
            : head.StartsWith(Encoding.UTF8.Preamble) ? 3
            : 0;
    }
}
