namespace ElectraPipeline.Training.Scoring;

/// <summary>How likely a model holds a text.</summary>
/// <param name="Text">The text.</param>
/// <param name="Score">
/// Its pseudo-log-likelihood: the sum over its tokens of the log-probability in their context, in nats. Electric's lacks a constant a
/// token (its probabilities are not normalized), so that it ranks texts of like length.
/// </param>
/// <param name="Tokens">Tokens that are summed over: [CLS] and [SEP] are not.</param>
/// <param name="Truncated">Whether tokens beyond the model's longest sequence were left out.</param>
public sealed record TextScore(string Text, double Score, int Tokens, bool Truncated);
