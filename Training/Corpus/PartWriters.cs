using ZstdSharp;
using ZstdSharp.Unsafe;

namespace ElectraPipeline.Training.Corpus;

/// <summary>Writes documents to the parts that their hashes choose. Nothing is visible before <see cref="Commit"/>.</summary>
internal sealed class PartWriters : IDisposable
{
    private readonly Part[] parts;

    public PartWriters(string folder, int count)
    {
        Directory.CreateDirectory(folder);
        parts = new Part[count];
        for (int i = 0; i < count; i++)
        {
            parts[i] = new Part(folder, DocumentParts.NameOf(i));
        }
    }

    public void Write(Document document) =>
        parts[(int)(DocumentText.Hash(document.Text) % (UInt128)parts.Length)].Write(document);

    public IReadOnlyList<OutputPart> Commit() => parts.Select(part => part.Commit()).ToList();

    public void Dispose()
    {
        foreach (Part? part in parts)
        {
            part?.Dispose();
        }
    }

    private sealed class Part : IDisposable
    {
        private const int CompressionLevel = 3;
        private readonly string name;
        private readonly PendingFile file;
        private readonly CompressionStream zstd;
        private readonly JsonLineWriter lines;
        private long documents;
        private long textBytes;

        public Part(string folder, string name)
        {
            this.name = name;
            file = new PendingFile(Path.Combine(folder, name));
            zstd = new CompressionStream(file.Stream, CompressionLevel, leaveOpen: true);
            zstd.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
            lines = new JsonLineWriter(zstd, DocumentParts.LineOptions);
        }

        public void Write(Document document)
        {
            lines.Write(document);
            documents++;
            textBytes += DocumentText.Bytes(document.Text);
        }

        public OutputPart Commit()
        {
            zstd.Dispose();
            file.Commit();
            return new OutputPart(name, documents, textBytes);
        }

        public void Dispose()
        {
            // An unfinished frame is abandoned: ending it would write to the file that is about to be deleted, on a disk that may be full.
            file.Dispose();
        }
    }
}
