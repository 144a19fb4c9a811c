using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ElectraPipeline.Dashboard.Charts;

/// <summary>Where everything of a chart lies, in the units of its SVG view box.</summary>
internal sealed class ChartPicture
{
    public const double Width = 360;
    public const double Height = 210;
    public const double Left = 44;

    // Half of the widest number of a step, "1.05M", which may stand under the right end.
    public const double Right = Width - 18;

    public const double Top = 10;
    public const double Bottom = Height - 34;

    private readonly Axis _steps;
    private readonly Axis _values;

    public ChartPicture(ChartData data)
    {
        Curves =
        [
            .. data
                .Curves.Select(curve => curve with { Points = [.. curve.Points.Where(point => double.IsFinite(point.Value))] })
                .Where(curve => curve.Points.Count > 0),
        ];
        List<CurvePoint> points = [.. Curves.SelectMany(curve => curve.Points)];
        FirstStep = points.Count == 0 ? 0 : points.Min(point => point.Step);
        LastStep = points.Count == 0 ? 0 : points.Max(point => point.Step);
        _steps = Axis.Exact(FirstStep, LastStep, Left, Right, 4);
        _values =
            points.Count == 0
                ? Axis.Rounded(0, 1, Bottom, Top, 4)
                : Axis.Rounded(points.Min(point => point.Value), points.Max(point => point.Value), Bottom, Top, 4);
    }

    /// <summary>The curves that have points.</summary>
    public IReadOnlyList<Curve> Curves { get; }

    public long FirstStep { get; }

    public long LastStep { get; }

    public IEnumerable<(string Text, string X)> StepTicks =>
        _steps.Ticks.Where(tick => tick == Math.Floor(tick)).Select(tick => (Display.Compact((long)tick), Number(_steps.Place(tick))));

    public IEnumerable<(string Text, string Y)> ValueTicks =>
        _values.Ticks.Select(tick => (Display.Value(tick), Number(_values.Place(tick))));

    public static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    /// <summary>The "points" of a polyline.</summary>
    public string Polyline(Curve curve)
    {
        var text = new StringBuilder();
        foreach (CurvePoint point in curve.Points)
        {
            text.Append(Number(_steps.Place(point.Step))).Append(',').Append(Number(_values.Place(point.Value))).Append(' ');
        }

        return text.ToString();
    }

    public (string X, string Y) PlaceOf(CurvePoint point) => (Number(_steps.Place(point.Step)), Number(_values.Place(point.Value)));

    /// <summary>The points for the script that shows values under the pointer: [[step, value, text], ...] for each curve.</summary>
    public string Json() =>
        JsonSerializer.Serialize(
            Curves.Select(curve => curve.Points.Select(point => new object[] { point.Step, point.Value, Display.Value(point.Value) }))
        );

    /// <summary>What the picture shows, in words, for those who cannot see it.</summary>
    public string InWords(ChartData data)
    {
        IEnumerable<string> sentences = Curves.Select(curve =>
        {
            CurvePoint first = curve.Points[0];
            CurvePoint last = curve.Points[^1];
            return curve.Points.Count == 1
                ? $"{curve.Label}: {Display.Value(first.Value)} at step {Display.Count(first.Step)}."
                : $"{curve.Label}: from {Display.Value(first.Value)} at step {Display.Count(first.Step)} "
                    + $"to {Display.Value(last.Value)} at step {Display.Count(last.Step)}, "
                    + $"lowest {Display.Value(curve.Points.Min(point => point.Value))}, highest "
                    + $"{Display.Value(curve.Points.Max(point => point.Value))}.";
        });
        return $"{data.Title} by step. {string.Join(" ", sentences)}";
    }
}
