using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using ElectraPipeline.Training;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Shards.Exchange;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Bench.Fuzzing;

/// <summary>
/// Damaged and lying files: what reads them refuses with <see cref="PermanentException"/>, or what it gives out makes sense.
/// </summary>
internal static class FileFuzzing
{
    public static void VocabularyFile(CounterRandom random, string folder)
    {
        byte[] whole = Encoding.UTF8.GetBytes(string.Join('\n', [.. SpecialTokens.All, "a", "##ä", "日", "\u2028", "b\r", "😀"]));
        string path = Path.Combine(folder, "vocab.txt");
        File.WriteAllBytes(path, Damage(whole, ref random));
        Refusable(() =>
        {
            Vocabulary vocabulary = Vocabulary.Load(path);
            new WordPieceTokenizer(vocabulary, new TokenizerOptions()).Encode("aä日b 😀 [MASK]", []);
        });
    }

    /// <summary>A shard that is damaged, or whose header lies under a hash that is right.</summary>
    public static void Shard(CounterRandom random, string folder)
    {
        string path = Path.Combine(folder, "train.shard");
        int length = 5 + random.Next(60);
        using (var writer = new ShardWriter(path, new ShardHeader(random.Next(2) == 0 ? 2 : 4, length, 0, new byte[32], new byte[32])))
        {
            int[] ids = new int[length];
            for (int i = random.Next(200); i > 0; i--)
            {
                int used = 3 + random.Next(length - 2);
                ids.AsSpan(0, used).Fill(1 + random.Next(60_000));
                writer.Add(ids.AsSpan(0, used), random.Next(2) == 0 ? used : 2 + random.Next(used - 2));
            }

            writer.Commit();
        }

        byte[] bytes = File.ReadAllBytes(path);
        if (random.Next(3) == 0)
        {
            int lie = random.Next(2) == 0 ? random.Next(int.MaxValue) : random.Next(300) - 10;
            int field = random.Next(5);
            if (field < 4)
            {
                BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8 + (4 * field)), lie);
                Seal(bytes.AsSpan(0, ShardHeader.Size));
            }
            else
            {
                ShardHeader header = ShardHeader.Parse(bytes, path).For(bytes.Length)!;
                BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(bytes.Length - header.EndSize), lie);
                Seal(bytes.AsSpan((int)header.TableOffset));
            }
        }

        File.WriteAllBytes(path, Damage(bytes, ref random));
        bool refused = Refusable(() => ReadAll(path));
        if (refused && ShardVerifier.Verify(path, CancellationToken.None).Faults.Count == 0)
        {
            throw new InvalidOperationException("the reader refuses a shard in which verification finds no fault");
        }
    }

    private static void Seal(Span<byte> bytes) => BinaryPrimitives.WriteUInt64LittleEndian(bytes[^8..], XxHash3.HashToUInt64(bytes[..^8]));

    public static void MegatronIndex(CounterRandom random, string folder)
    {
        string prefix = Path.Combine(folder, "set");
        using (var writer = new MegatronWriter(prefix, random.Next(2) == 0 ? 100 : 100_000))
        {
            for (int documents = random.Next(6); documents > 0; documents--)
            {
                for (int sequences = random.Next(4); sequences > 0; sequences--)
                {
                    int[] ids = new int[random.Next(9)];
                    ids.AsSpan().Fill(random.Next(100));
                    writer.AddSequence(ids);
                }

                writer.EndDocument();
            }

            writer.Commit();
        }

        File.WriteAllBytes(prefix + ".idx", Damage(File.ReadAllBytes(prefix + ".idx"), ref random));
        Refusable(() =>
        {
            using var reader = new MegatronReader(prefix);
            for (int number = 0; number < reader.Documents; number++)
            {
                Require(
                    reader.Sequences(number, 100).All(sequence => sequence.All(id => id is >= 0 and < 100)),
                    "ids outside the vocabulary"
                );
            }
        });
    }

    private static void ReadAll(string path)
    {
        using var reader = new ShardReader(path);
        int[] ids = new int[reader.Header.SequenceLength];
        for (int i = 0; i < reader.Header.Count; i++)
        {
            reader.Read(i, ids, out int length, out int second);
            Require(length >= 2 && length <= ids.Length && second >= 1 && second <= length, $"length {length}, second segment {second}");
        }
    }

    /// <summary>Whether an action ended in a refusal; any other exception goes on.</summary>
    private static bool Refusable(Action action)
    {
        try
        {
            action();
            return false;
        }
        catch (PermanentException)
        {
            return true;
        }
    }

    private static void Require(bool holds, string problem)
    {
        if (!holds)
        {
            throw new InvalidOperationException(problem);
        }
    }

    /// <summary>Up to three cuts, joints, inserted bytes or flipped bits.</summary>
    private static byte[] Damage(byte[] bytes, ref CounterRandom random)
    {
        bytes = [.. bytes];
        for (int edits = random.Next(4); edits > 0 && bytes.Length > 0; edits--)
        {
            int at = random.Next(bytes.Length);
            switch (random.Next(4))
            {
                case 0:
                    bytes = bytes[..at];
                    break;
                case 1:
                    bytes = [.. bytes[..at], .. bytes[random.Next(bytes.Length)..]];
                    break;
                case 2:
                    bytes = [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]];
                    break;
                default:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
            }
        }

        return bytes;
    }
}
