namespace ElectraPipeline.Training.Shards;

/// <summary>Damage found in a shard folder.</summary>
/// <param name="Path">The file.</param>
/// <param name="Region">"file", "header", "block", "record", "table" or "manifest".</param>
/// <param name="Block">Which block, counted from 0; null: not in a block.</param>
/// <param name="Offset">First byte of the file that may be damaged.</param>
/// <param name="Length">How many bytes from there on.</param>
/// <param name="Problem">What is wrong with them.</param>
public sealed record ShardFault(string Path, string Region, int? Block, long Offset, long Length, string Problem)
{
    /// <summary>One sentence: file, place, problem.</summary>
    public override string ToString()
    {
        string bytes = Length == 0 ? "" : $" (bytes {Offset} to {Offset + Length - 1})";
        string place = Region == "file" ? "" : $" {Region}{(Block is { } block ? $" {block}" : "")}{bytes}";
        return $"{Path}:{place} {Problem}";
    }
}

/// <summary>What a verification saw.</summary>
/// <param name="Files">Shards.</param>
/// <param name="Bytes">Bytes of the shards.</param>
/// <param name="Examples">Examples in those whose header is whole.</param>
/// <param name="Faults">What is damaged, in the order of the files; empty: nothing.</param>
public sealed record ShardVerification(int Files, long Bytes, long Examples, IReadOnlyList<ShardFault> Faults);
