using ElectraPipeline.Training.Checkpoints;

namespace ElectraPipeline.Training.Tests.Checkpoints.TensorFlow;

/// <summary>Writes files in LevelDB's table format.</summary>
internal sealed class TableWriter(int blockBytes, int restartInterval, bool pack)
{
    private readonly MemoryStream file = new();

    public byte[] Write(IEnumerable<(byte[] Key, byte[] Value)> sorted)
    {
        List<(byte[] Key, byte[] Value)> index = [];
        Block block = new(restartInterval);
        byte[] last = [];
        foreach ((byte[] key, byte[] value) in sorted)
        {
            block.Add(key, value);
            last = key;
            if (block.Length >= blockBytes)
            {
                index.Add((last, Place(block)));
                block = new Block(restartInterval);
            }
        }

        if (block.Length > 0)
        {
            // TensorFlow gives the last block a short key behind its last one.
            index.Add(([(byte)(last[0] + 1)], Place(block)));
        }

        byte[] metadata = Place(new Block(restartInterval));
        Block places = new(restartInterval: 1);
        index.ForEach(item => places.Add(item.Key, item.Value));
        byte[] footer = new byte[48];
        byte[] handles = [.. metadata, .. Place(places)];
        handles.CopyTo(footer, 0);
        BitConverter.GetBytes(0xDB4775248B80FB57).CopyTo(footer, 40);
        file.Write(footer);
        return file.ToArray();
    }

    private byte[] Place(Block block)
    {
        byte[] plain = block.Finish(),
            packed = pack ? SnappyPacker.Pack(plain) : plain;
        byte[] stored = [.. packed, (byte)(pack ? 1 : 0)];
        using MemoryStream place = new();
        ProtoBytes.WriteVarint(place, (ulong)file.Length);
        ProtoBytes.WriteVarint(place, (ulong)packed.Length);
        file.Write(stored);
        file.Write(BitConverter.GetBytes(Crc32C.MaskedOf(stored)));
        return place.ToArray();
    }

    private sealed class Block(int restartInterval)
    {
        private readonly MemoryStream entries = new();
        private readonly List<int> restarts = [0];
        private byte[] last = [];
        private int sinceRestart;

        public long Length => entries.Length;

        public void Add(byte[] key, byte[] value)
        {
            int shared = key.AsSpan().CommonPrefixLength(last);
            if (sinceRestart == restartInterval)
            {
                restarts.Add((int)entries.Length);
                (sinceRestart, shared) = (0, 0);
            }

            ProtoBytes.WriteVarint(entries, (ulong)shared);
            ProtoBytes.WriteVarint(entries, (ulong)(key.Length - shared));
            ProtoBytes.WriteVarint(entries, (ulong)value.Length);
            entries.Write(key.AsSpan(shared));
            entries.Write(value);
            last = key;
            sinceRestart++;
        }

        public byte[] Finish() =>
            [.. entries.ToArray(), .. restarts.SelectMany(BitConverter.GetBytes), .. BitConverter.GetBytes(restarts.Count)];
    }
}
