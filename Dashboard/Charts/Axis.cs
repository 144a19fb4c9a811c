namespace ElectraPipeline.Dashboard.Charts;

/// <summary>A linear axis: a range of values, its place in the picture, and ticks at round values.</summary>
internal sealed class Axis
{
    private const double NothingBetween = 1e-12;

    private readonly double _minimum;
    private readonly double _maximum;
    private readonly double _from;
    private readonly double _to;

    private Axis(double minimum, double maximum, double from, double to, IReadOnlyList<double> ticks)
    {
        (_minimum, _maximum, _from, _to) = (minimum, maximum, from, to);
        Ticks = ticks;
    }

    public IReadOnlyList<double> Ticks { get; }

    /// <summary>An axis whose ends are the given values.</summary>
    public static Axis Exact(double minimum, double maximum, double from, double to, int ticks)
    {
        double end = maximum - minimum > NothingBetween ? maximum : minimum + 1;
        double step = RoundStep((end - minimum) / ticks);
        return new Axis(minimum, end, from, to, Multiples(step, Math.Ceiling(minimum / step - 1e-9), end));
    }

    /// <summary>An axis widened to round values at both ends, so that a curve never touches the frame.</summary>
    public static Axis Rounded(double minimum, double maximum, double from, double to, int ticks)
    {
        if (maximum - minimum <= NothingBetween)
        {
            double margin = Math.Max(Math.Abs(minimum) * 0.1, 1e-9);
            (minimum, maximum) = (minimum - margin, maximum + margin);
        }

        double step = RoundStep((maximum - minimum) / ticks);
        double low = Math.Floor(minimum / step + 1e-9) * step;
        double high = Math.Ceiling(maximum / step - 1e-9) * step;
        return new Axis(low, high, from, to, Multiples(step, Math.Round(low / step), high));
    }

    public double Place(double value) => _from + ((value - _minimum) / (_maximum - _minimum) * (_to - _from));

    private static List<double> Multiples(double step, double first, double end)
    {
        var ticks = new List<double>();
        for (double multiple = first; multiple * step <= end + (step * 1e-6); multiple++)
        {
            ticks.Add(multiple * step);
        }

        return ticks;
    }

    /// <summary>The smallest of 1, 2, 5 times a power of ten that is not below <paramref name="raw"/>.</summary>
    private static double RoundStep(double raw)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double share = raw / power;
        return power
            * (
                share <= 1.0000001 ? 1
                : share <= 2.0000001 ? 2
                : share <= 5.0000001 ? 5
                : 10
            );
    }
}
