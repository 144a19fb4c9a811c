namespace ElectraPipeline.Training.Corpus;

/// <summary>A document on its way to the part that the hash of its text chooses.</summary>
/// <param name="Document">What is written.</param>
/// <param name="Hash">See <see cref="DocumentText.Hash(ReadOnlySpan{byte})"/>.</param>
internal readonly record struct PlacedDocument(Document Document, UInt128 Hash)
{
    /// <summary>UTF-8 bytes of the text, one for the end of its last line included.</summary>
    public long TextBytes => Document.Utf8.Length + 1;
}

/// <summary>
/// Writes documents to the parts that their hashes choose, parts at a time. Nothing is visible before <see cref="Commit"/>.
/// </summary>
internal sealed class PartWriters : IDisposable
{
    private readonly Part[] parts;
    private readonly int threads;

    public PartWriters(string folder, int count, bool compress, int threads)
    {
        this.threads = threads;
        Directory.CreateDirectory(folder);
        parts = new Part[count];
        for (int i = 0; i < count; i++)
        {
            parts[i] = new Part(folder, DocumentParts.NameOf(i, compress), compress);
        }
    }

    /// <summary>Writes documents; each part gets its own in this order.</summary>
    public void Write(IEnumerable<PlacedDocument> documents)
    {
        foreach (PlacedDocument document in documents)
        {
            parts[(int)(document.Hash % (UInt128)parts.Length)].Waiting.Add(document);
        }

        ParallelWork.For(parts.Length, threads, i => parts[i].WriteWaiting());
    }

    public IReadOnlyList<OutputPart> Commit()
    {
        OutputPart[] written = new OutputPart[parts.Length];
        ParallelWork.For(parts.Length, threads, i => written[i] = parts[i].Commit());
        return written;
    }

    public void Dispose()
    {
        foreach (Part? part in parts)
        {
            part?.Dispose();
        }
    }

    private sealed class Part(string folder, string name, bool compress) : IDisposable
    {
        private readonly StoredLinesWriter lines = new(Path.Combine(folder, name), compress, durable: true);
        private long documents;
        private long textBytes;

        public List<PlacedDocument> Waiting { get; } = [];

        public void WriteWaiting()
        {
            foreach (PlacedDocument document in Waiting)
            {
                lines.Write(document.Document);
                documents++;
                textBytes += document.TextBytes;
            }

            Waiting.Clear();
        }

        public OutputPart Commit()
        {
            string hash = lines.Hash();
            lines.Commit();
            return new OutputPart(name, documents, textBytes, hash);
        }

        public void Dispose() => lines.Dispose();
    }
}
