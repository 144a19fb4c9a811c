using System.Text.RegularExpressions;
using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.Training;

namespace ElectraPipeline.Jobs;

/// <summary>How people name a model version: "NAME@3", "NAME@champion", or "NAME", which is "NAME@latest".</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Version">A number or an alias.</param>
public sealed partial record ModelReference(string Model, string Version)
{
    /// <summary>Whether a text can name a model: lower-case letters, digits and '-', at most 63, a letter first.</summary>
    public static bool IsName(string text) => NamePattern().IsMatch(text);

    /// <summary>Whether a text has the form of a reference.</summary>
    public static bool IsReference(string text) => ReferencePattern().IsMatch(text);

    /// <summary>Takes a reference apart.</summary>
    public static ModelReference Parse(string text)
    {
        int at = text.IndexOf('@', StringComparison.Ordinal);
        return at < 0 ? new ModelReference(text, "latest") : new ModelReference(text[..at], text[(at + 1)..]);
    }

    /// <summary>The version that a reference means now.</summary>
    /// <exception cref="PermanentException">There is none.</exception>
    public static async Task<ModelVersionRow> FindAsync(Queries queries, string text, CancellationToken cancellationToken = default)
    {
        ModelReference reference = Parse(text);
        return await queries.ModelVersionAsync(reference.Model, reference.Version, cancellationToken)
            ?? throw new PermanentException($"there is no model {reference.Model}@{reference.Version}; see: electra models");
    }

    [GeneratedRegex("^[a-z][a-z0-9-]{0,62}\\z")]
    private static partial Regex NamePattern();

    [GeneratedRegex("^[a-z][a-z0-9-]{0,62}(@[a-z0-9-]{1,63})?\\z")]
    private static partial Regex ReferencePattern();
}
