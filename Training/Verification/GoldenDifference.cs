namespace ElectraPipeline.Training.Verification;

/// <summary>How far one computed quantity is from its reference.</summary>
/// <param name="Name">What was compared, for example "forward/discriminator.logits" or "training/step 3 loss".</param>
/// <param name="Difference">Largest difference over all elements; for losses relative, else absolute. NaN: not comparable.</param>
/// <param name="Tolerance">Largest difference allowed.</param>
public sealed record GoldenDifference(string Name, double Difference, double Tolerance)
{
    /// <summary>Whether it is within the tolerance; NaN is not.</summary>
    public bool Passed => Difference <= Tolerance;
}
