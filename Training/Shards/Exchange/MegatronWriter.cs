using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace ElectraPipeline.Training.Shards.Exchange;

/// <summary>Writes an indexed data set of Megatron-LM; the index, without which nobody finds the data, appears last.</summary>
internal sealed class MegatronWriter : IDisposable
{
    private readonly byte kind;
    private readonly PendingFile data;
    private readonly PendingFile index;
    private readonly List<int> lengths = [];
    private readonly List<long> documents = [0];

    /// <param name="prefix">Path of the files without their endings.</param>
    /// <param name="vocabularySize">Decides the width of the ids, as Megatron-LM decides it.</param>
    public MegatronWriter(string prefix, int vocabularySize)
    {
        kind = vocabularySize > MegatronFormat.LargestNarrowVocabulary ? MegatronFormat.Int32 : MegatronFormat.UInt16;
        (string dataPath, string indexPath) = MegatronFormat.FilesOf(prefix + ".bin");
        data = new PendingFile(dataPath);
        try
        {
            index = new PendingFile(indexPath);
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    /// <summary>Adds a sequence to the document that is open.</summary>
    public void AddSequence(ReadOnlySpan<int> ids)
    {
        lengths.Add(ids.Length);
        if (kind == MegatronFormat.Int32)
        {
            data.Stream.Write(MemoryMarshal.AsBytes(ids));
            return;
        }

        Span<byte> narrow = ids.Length <= 1024 ? stackalloc byte[2 * ids.Length] : new byte[2 * ids.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(narrow[(2 * i)..], (ushort)ids[i]);
        }

        data.Stream.Write(narrow);
    }

    /// <summary>Ends the document; what is added next is another.</summary>
    public void EndDocument() => documents.Add(lengths.Count);

    /// <summary>Finishes both files and gives them their names.</summary>
    public void Commit()
    {
        Span<byte> header = stackalloc byte[MegatronFormat.HeaderBytes];
        MegatronFormat.Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt64LittleEndian(header[9..], MegatronFormat.Version);
        header[17] = kind;
        BinaryPrimitives.WriteInt64LittleEndian(header[18..], lengths.Count);
        BinaryPrimitives.WriteInt64LittleEndian(header[26..], documents.Count);
        index.Stream.Write(header);
        index.Stream.Write(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(lengths)));
        long[] offsets = new long[lengths.Count];
        for (int i = 1; i < offsets.Length; i++)
        {
            offsets[i] = offsets[i - 1] + ((long)lengths[i - 1] * MegatronFormat.BytesOf(kind));
        }

        index.Stream.Write(MemoryMarshal.AsBytes(offsets.AsSpan()));
        index.Stream.Write(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(documents)));
        data.Commit();
        index.Commit();
    }

    public void Dispose()
    {
        data.Dispose();
        index.Dispose();
    }
}
