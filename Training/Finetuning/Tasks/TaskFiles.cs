namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>The files that a task's options name.</summary>
/// <param name="Folder">What relative paths start from.</param>
/// <param name="Digests">SHA-256 that files must have, lower-case hex by whole path; null: any.</param>
internal sealed record TaskFiles(string Folder, IReadOnlyDictionary<string, string>? Digests = null)
{
    /// <summary>The file of a path of the options.</summary>
    public string PathOf(string source) => Path.Combine(Folder, source);

    /// <summary>The digest that it must have; null: any.</summary>
    public string? DigestOf(string source) => Digests?.GetValueOrDefault(PathOf(source));
}
