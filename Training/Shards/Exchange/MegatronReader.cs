using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace ElectraPipeline.Training.Shards.Exchange;

/// <summary>Reads an indexed data set of Megatron-LM. Nothing of the index is believed before it fits the files.</summary>
internal sealed class MegatronReader : IDisposable
{
    private readonly string indexPath;
    private readonly string dataPath;
    private readonly FileStream data;
    private readonly int idBytes;
    private readonly byte kind;
    private readonly int[] lengths;
    private readonly long[] offsets;
    private readonly long[] documents;

    /// <param name="path">The path of the files without their endings, or of either of them.</param>
    /// <exception cref="PermanentException">A file is missing, or the index makes no sense; the message names the byte.</exception>
    public MegatronReader(string path)
    {
        (dataPath, indexPath) = MegatronFormat.FilesOf(path);
        string? missing =
            !File.Exists(indexPath) ? indexPath
            : !File.Exists(dataPath) ? dataPath
            : null;
        if (missing is not null)
        {
            throw new PermanentException($"{missing}: no such file; an indexed data set is a pair of NAME.bin and NAME.idx");
        }

        byte[] index = File.ReadAllBytes(indexPath);
        Require(
            index.Length >= MegatronFormat.HeaderBytes && index.AsSpan().StartsWith(MegatronFormat.Magic),
            0,
            "is no index of Megatron-LM"
        );
        ulong version = BinaryPrimitives.ReadUInt64LittleEndian(index.AsSpan(9));
        Require(version == MegatronFormat.Version, 9, $"has the version {version}; 1 is known");
        kind = index[17];
        idBytes = MegatronFormat.BytesOf(kind);
        Require(idBytes > 0, 17, $"holds ids of kind {kind}; whole numbers (1 to 5 and 8) are known");
        ulong sequences = BinaryPrimitives.ReadUInt64LittleEndian(index.AsSpan(18));
        ulong entries = BinaryPrimitives.ReadUInt64LittleEndian(index.AsSpan(26));
        ulong room = (ulong)(index.Length - MegatronFormat.HeaderBytes);
        Require(
            sequences <= room / 12 && entries >= 1 && entries <= room / 8 && (12 * sequences) + (8 * entries) <= room,
            18,
            $"has {index.Length:N0} bytes, too few for {sequences} sequences and {entries} entries of documents"
        );
        int at = MegatronFormat.HeaderBytes;
        lengths = Take<int>(index, ref at, (int)sequences);
        offsets = Take<long>(index, ref at, (int)sequences);
        documents = Take<long>(index, ref at, (int)entries);
        data = File.OpenRead(dataPath);
        try
        {
            Check();
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    /// <summary>How many documents there are.</summary>
    public int Documents => documents.Length - 1;

    /// <summary>Puts the sequences of a document, as its sentences, in place of what <paramref name="document"/> held.</summary>
    /// <exception cref="PermanentException">An id is outside 0 .. <paramref name="tokens"/> - 1.</exception>
    public void Read(int number, int tokens, EncodedDocument document)
    {
        document.Clear();
        for (long sequence = documents[number]; sequence < documents[number + 1]; sequence++)
        {
            document.Add(Sequence(sequence, tokens));
        }
    }

    /// <summary>The sequences of a document.</summary>
    /// <exception cref="PermanentException">An id is outside 0 .. <paramref name="tokens"/> - 1.</exception>
    public int[][] Sequences(int number, int tokens)
    {
        var sequences = new List<int[]>();
        for (long sequence = documents[number]; sequence < documents[number + 1]; sequence++)
        {
            sequences.Add(Sequence(sequence, tokens));
        }

        return [.. sequences];
    }

    public void Dispose() => data.Dispose();

    private int[] Sequence(long sequence, int tokens)
    {
        byte[] bytes = new byte[lengths[sequence] * idBytes];
        data.Position = offsets[sequence];
        data.ReadExactly(bytes);
        int[] ids = new int[lengths[sequence]];
        for (int i = 0; i < ids.Length; i++)
        {
            long id = IdAt(bytes.AsSpan(i * idBytes));
            ids[i] =
                id >= 0 && id < tokens
                    ? (int)id
                    : throw new PermanentException(
                        $"{dataPath}, byte {offsets[sequence] + (i * idBytes)} (sequence {sequence}): id {id} is not in the "
                            + $"vocabulary of {tokens} tokens; give the right one"
                    );
        }

        return ids;
    }

    private long IdAt(ReadOnlySpan<byte> bytes) =>
        kind switch
        {
            1 => bytes[0],
            2 => (sbyte)bytes[0],
            3 => BinaryPrimitives.ReadInt16LittleEndian(bytes),
            MegatronFormat.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            MegatronFormat.Int32 => BinaryPrimitives.ReadInt32LittleEndian(bytes),
            _ => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        };

    private void Check()
    {
        for (int i = 0; i < lengths.Length; i++)
        {
            int at = MegatronFormat.HeaderBytes + (4 * i);
            Require(
                lengths[i] >= 0 && offsets[i] >= 0 && (long)lengths[i] * idBytes <= data.Length - offsets[i],
                at,
                $"gives sequence {i} {lengths[i]} ids from byte {offsets[i]}; {dataPath} has {data.Length} bytes"
            );
            Require(
                (long)lengths[i] * idBytes <= Array.MaxLength,
                at,
                $"gives sequence {i} {lengths[i]} ids, more than can be read at once"
            );
        }

        int start = MegatronFormat.HeaderBytes + (12 * lengths.Length);
        Require(
            documents[0] == 0 && documents[^1] == lengths.Length,
            start,
            $"has documents from sequence {documents[0]} to {documents[^1]}; there are {lengths.Length}"
        );
        for (int i = 1; i < documents.Length; i++)
        {
            Require(documents[i] >= documents[i - 1], start + (8 * i), $"lets document {i} begin before the one in front of it");
        }
    }

    private void Require(bool holds, long at, string problem)
    {
        if (!holds)
        {
            throw new PermanentException($"{indexPath}, byte {at}: the index {problem}; make it again or give another");
        }
    }

    private static T[] Take<T>(byte[] index, ref int at, int count)
        where T : unmanaged
    {
        T[] values = new T[count];
        Span<byte> bytes = MemoryMarshal.AsBytes(values.AsSpan());
        index.AsSpan(at, bytes.Length).CopyTo(bytes);
        at += bytes.Length;
        return values;
    }
}
