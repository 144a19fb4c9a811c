namespace ElectraPipeline.Training.Shards.Exchange;

/// <summary>
/// The indexed data sets of Megatron-LM: NAME.bin holds token ids one after the other, NAME.idx says where sequences and documents begin.
/// </summary>
/// <remarks>
/// NAME.idx, little-endian: "MMIDIDX" and two zeros, version (uint64, 1), kind of the ids (uint8), sequences n (uint64), entries d of the
/// document list (uint64), n lengths (int32), n byte offsets in NAME.bin (int64), d numbers of the sequences that documents begin with
/// and behind the last one n (int64); in newer multimodal sets n modes (int8), which are not read here.
/// </remarks>
internal static class MegatronFormat
{
    public const int HeaderBytes = 34;
    public const ulong Version = 1;
    public const byte Int32 = 4;
    public const byte UInt16 = 8;

    /// <summary>Above this many tokens Megatron stores ids in 32 bits.</summary>
    public const int LargestNarrowVocabulary = 65_499;

    public static ReadOnlySpan<byte> Magic => "MMIDIDX\0\0"u8;

    /// <summary>Bytes of an id of this kind; 0: no kind of whole numbers.</summary>
    public static int BytesOf(byte kind) =>
        kind switch
        {
            1 or 2 => 1,
            3 or UInt16 => 2,
            Int32 => 4,
            5 => 8,
            _ => 0,
        };

    /// <summary>The two files that a prefix, or the name of either file, stands for.</summary>
    public static (string Data, string Index) FilesOf(string path)
    {
        string prefix = Path.GetExtension(path) is ".bin" or ".idx" ? path[..^4] : path;
        return (prefix + ".bin", prefix + ".idx");
    }
}
