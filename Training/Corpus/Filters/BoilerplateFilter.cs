using System.Runtime.InteropServices;
using System.Text;

namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>
/// Removes lines that many documents before held: menus, notices, headings of templates. In one pass, so the first documents keep
/// theirs. Memory: about 50 to 100 bytes a different line.
/// </summary>
internal sealed class BoilerplateFilter(BoilerplateOptions options) : IDocumentFilter
{
    private readonly Dictionary<UInt128, int> documentsWith = [];

    public string Name => "boilerplate";

    public bool DependsOnOrder => true;

    public FilterVerdict Judge(FilteredDocument document)
    {
        var kept = new StringBuilder();
        var removed = new List<RemovedLine>();
        var own = new HashSet<UInt128>();
        foreach (ReadOnlySpan<char> line in document.Text.AsSpan().EnumerateLines())
        {
            UInt128 hash = DocumentText.Hash(line);
            ref int documents = ref CollectionsMarshal.GetValueRefOrAddDefault(documentsWith, hash, out _);
            if (documents >= options.MaxDocuments)
            {
                removed.Add(new RemovedLine("frequent-line", line.ToString()));
                continue;
            }

            // The line counts once for this document, however often it holds it; counted behind the loop, lest it removes itself.
            own.Add(hash);
            kept.Append(line).Append('\n');
        }

        foreach (UInt128 hash in own)
        {
            documentsWith[hash]++;
        }

        return kept.Length == 0
                ? FilterVerdict.Remove("frequent-lines-only", $"{removed.Count} lines that {options.MaxDocuments} documents before hold")
            : removed.Count == 0 ? FilterVerdict.Keep
            : FilterVerdict.Shorten(DocumentText.Finish(kept), removed);
    }
}
