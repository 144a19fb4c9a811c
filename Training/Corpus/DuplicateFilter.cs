using System.Text;

namespace ElectraPipeline.Training.Corpus;

/// <summary>
/// Finds documents and lines that appeared before, by 128-bit hashes of their folded text (about 25 bytes of memory each).
/// </summary>
internal sealed class DuplicateFilter(bool documents)
{
    private readonly FixedHashSet<UInt128> seenDocuments = new();
    private readonly FixedHashSet<UInt128> seenLines = new();
    private readonly StringBuilder kept = new();

    /// <summary>Lines dropped from documents that were kept or lost all their lines.</summary>
    public long DuplicateLines { get; private set; }

    /// <summary>Whether the whole text, of this <see cref="DocumentText.Hash(ReadOnlySpan{byte})"/>, appeared before.</summary>
    public bool IsDuplicate(UInt128 hash) => documents && !seenDocuments.Add(hash);

    /// <summary>The lines that did not appear before, in order; "" if all did.</summary>
    public string NewLines(string text)
    {
        int dropped = 0;
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            if (seenLines.Add(DocumentText.Hash(line)))
            {
                kept.Append(line).Append('\n');
            }
            else
            {
                dropped++;
            }
        }

        DuplicateLines += dropped;
        string rest = DocumentText.Finish(kept);
        return dropped == 0 ? text : rest;
    }
}
