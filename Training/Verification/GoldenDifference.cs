namespace ElectraPipeline.Training.Verification;

/// <summary>How far one computed quantity is from its reference.</summary>
/// <param name="Name">What was compared, for example "forward/discriminator.logits" or "training/step 3 loss".</param>
/// <param name="Absolute">Largest absolute difference over all elements; NaN: not comparable.</param>
/// <param name="Relative">The same as a share of the reference's largest magnitude; 0 where both are 0.</param>
/// <param name="Allowed">Largest absolute difference allowed.</param>
public sealed record GoldenDifference(string Name, double Absolute, double Relative, double Allowed)
{
    /// <summary>Whether it is within the tolerance; NaN is not.</summary>
    public bool Passed => Absolute <= Allowed;

    /// <summary>Compares two numbers, allowing a share of the reference.</summary>
    internal static GoldenDifference Between(string name, double value, double reference, double tolerance)
    {
        double absolute = Math.Abs(value - reference), size = Math.Abs(reference);
        return new(name, absolute, absolute == 0 ? 0 : absolute / size, size == 0 ? tolerance : tolerance * size);
    }
}
