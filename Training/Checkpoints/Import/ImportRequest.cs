namespace ElectraPipeline.Training.Checkpoints.Import;

/// <summary>What to import.</summary>
public sealed record ImportRequest
{
    /// <summary>
    /// A Hugging Face folder, a folder with <c>discriminator/</c> and <c>generator/</c> inside, or the prefix of a TensorFlow checkpoint of
    /// the official code (with or without ".index", or its folder).
    /// </summary>
    public required string Source { get; init; }

    /// <summary>A Hugging Face folder with the generator, where it is another than the source; null: what the source has.</summary>
    public string? Generator { get; init; }

    /// <summary>A vocab.txt; null: the one beside the weights.</summary>
    public string? Vocabulary { get; init; }

    /// <summary>Whether text is lower-cased and loses its accents; null: as the folder's tokenizer files say, else yes.</summary>
    public bool? LowerCase { get; init; }

    /// <summary>Width of one attention head, which TensorFlow checkpoints do not say; 64 in every official model.</summary>
    public int HeadSize { get; init; } = 64;
}

/// <summary>A file that something was imported from.</summary>
/// <param name="Path">Where it was, absolute.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Its digest, lower-case hexadecimal.</param>
public sealed record ImportedFile(string Path, long Bytes, string Sha256);

/// <summary>A tensor of the source, and what becomes of it.</summary>
/// <param name="Source">The tensor in the source.</param>
/// <param name="Model">"discriminator" or "generator"; null: it is left.</param>
/// <param name="Name">Its name there; null: it is left.</param>
/// <param name="Note">"transposed", or why it is left; null: taken as it is.</param>
public sealed record ImportedTensor(StoredTensor Source, string? Model, string? Name, string? Note);

/// <summary>A model that will be written.</summary>
/// <param name="Model">"discriminator", "generator", or "encoder" for a language model alone.</param>
/// <param name="Architecture">One of <see cref="ElectraArchitecture"/>.</param>
/// <param name="Config">Its sizes.</param>
public sealed record ImportedModel(string Model, string Architecture, HuggingFaceConfig Config);
