namespace ElectraPipeline.Dashboard.Charts;

/// <summary>One point of a curve.</summary>
public readonly record struct CurvePoint(long Step, double Value);

/// <summary>How a curve is drawn: every training step wobbles and is drawn thin; a reference does not change and is dashed.</summary>
public enum CurveKind
{
    /// <summary>Measured rarely and on the same data each time: the curve to look at.</summary>
    Main,

    /// <summary>Measured at each logged step.</summary>
    Thin,

    /// <summary>A level to compare with.</summary>
    Reference,
}

/// <summary>A named curve, its points in step order.</summary>
public sealed record Curve(string Label, CurveKind Kind, IReadOnlyList<CurvePoint> Points);

/// <summary>Curves over the same steps in the same unit.</summary>
public sealed record ChartData(string Title, string Unit, IReadOnlyList<Curve> Curves);
