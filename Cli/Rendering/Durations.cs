using System.Globalization;

namespace ElectraPipeline.Cli.Rendering;

/// <summary>Lengths of time as people write them.</summary>
internal static class Durations
{
    /// <summary>"0.4 s", "12 s", "3 min 05 s", "2 h 10 min", "5 d 03 h".</summary>
    public static string Short(TimeSpan span) =>
        span switch
        {
            { Ticks: < 0 } => "0 s",
            { TotalSeconds: < 9.95 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.0} s"),
            { TotalSeconds: < 59.5 } => $"{span.TotalSeconds:0} s",
            { TotalMinutes: < 60 } => $"{(int)span.TotalMinutes} min {span.Seconds:00} s",
            { TotalHours: < 24 } => $"{(int)span.TotalHours} h {span.Minutes:00} min",
            _ => $"{(int)span.TotalDays} d {span.Hours:00} h",
        };

    /// <summary>How long ago, from one moment to another.</summary>
    public static string Ago(DateTimeOffset then, DateTimeOffset now) => $"{Short(now - then)} ago";
}
