namespace ElectraPipeline.Training.Verification;

/// <summary>How far one computed quantity is from its reference.</summary>
/// <param name="Name">What was compared, for example "forward/discriminator.logits" or "training/step 3 loss".</param>
/// <param name="Absolute">Largest absolute difference over all elements; null: some element is no finite number.</param>
/// <param name="Relative">The same as a share of the reference's largest magnitude; null: that is 0, or no finite number.</param>
/// <param name="Allowed">Largest absolute difference allowed.</param>
public sealed record GoldenDifference(string Name, double? Absolute, double? Relative, double Allowed)
{
    /// <summary>Whether it is within the tolerance; what is no number is not.</summary>
    public bool Passed => Absolute <= Allowed;

    /// <summary>Compares two numbers, allowing a share of the reference.</summary>
    internal static GoldenDifference Between(string name, double value, double reference, double tolerance)
    {
        double size = Math.Abs(reference);
        return Of(name, Math.Abs(value - reference), size, size == 0 ? tolerance : tolerance * size);
    }

    /// <summary>From the largest difference and the reference's largest magnitude, which may be no numbers.</summary>
    internal static GoldenDifference Of(string name, double absolute, double size, double allowed) =>
        new(name, Finite(absolute), Finite(absolute == 0 ? 0 : absolute / size), allowed);

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
