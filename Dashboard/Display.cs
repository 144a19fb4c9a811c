using System.Globalization;

namespace ElectraPipeline.Dashboard;

/// <summary>Numbers, sizes and times as people read them.</summary>
internal static class Display
{
    private static readonly string[] _byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    /// <summary>1,234,567.</summary>
    public static string Count(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>12k, 1.5M: for axes, where space is short.</summary>
    public static string Compact(long value) =>
        Math.Abs(value) switch
        {
            >= 1_000_000 => (value / 1e6).ToString("0.##", CultureInfo.InvariantCulture) + "M",
            >= 10_000 => (value / 1e3).ToString("0.##", CultureInfo.InvariantCulture) + "k",
            _ => value.ToString(CultureInfo.InvariantCulture),
        };

    /// <summary>A measured value with as many digits as it is worth.</summary>
    public static string Value(double value) =>
        Math.Abs(value) switch
        {
            double.NaN => "not a number",
            0 => "0",
            < 0.001 => value.ToString("0.##e0", CultureInfo.InvariantCulture),
            < 0.01 => value.ToString("0.#####", CultureInfo.InvariantCulture),
            < 10 => value.ToString("0.###", CultureInfo.InvariantCulture),
            < 1_000 => value.ToString("0.#", CultureInfo.InvariantCulture),
            < 10_000 => value.ToString("#,0", CultureInfo.InvariantCulture),
            < 1e15 => Compact((long)value),
            _ => value.ToString("0.##e0", CultureInfo.InvariantCulture),
        };

    /// <summary>1.4 GiB.</summary>
    public static string Bytes(long bytes)
    {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < _byteUnits.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return value.ToString(unit == 0 ? "0" : "0.#", CultureInfo.InvariantCulture) + " " + _byteUnits[unit];
    }

    /// <summary>"2 d 4 h", "3 h 12 min", "1 min 5 s", "4.2 s".</summary>
    public static string Duration(TimeSpan duration) =>
        duration switch
        {
            { TotalDays: >= 1 } => $"{(int)duration.TotalDays} d {duration.Hours} h",
            { TotalHours: >= 1 } => $"{duration.Hours} h {duration.Minutes} min",
            { TotalMinutes: >= 1 } => $"{duration.Minutes} min {duration.Seconds} s",
            { TotalSeconds: >= 10 } => $"{duration.Seconds} s",
            { TotalSeconds: > 0 } => duration.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + " s",
            _ => "0 s",
        };

    /// <summary>"12 min ago", "in 3 h": one unit, which is what a glance needs.</summary>
    public static string Relative(DateTimeOffset moment, DateTimeOffset now)
    {
        TimeSpan distance = now - moment;
        string text = distance.Duration() switch
        {
            { TotalDays: >= 2 } span => $"{(int)span.TotalDays} days",
            { TotalHours: >= 2 } span => $"{(int)span.TotalHours} h",
            { TotalMinutes: >= 1 } span => $"{(int)span.TotalMinutes} min",
            { TotalSeconds: >= 5 } span => $"{(int)span.TotalSeconds} s",
            _ => "",
        };
        return text.Length == 0 ? "now"
            : distance > TimeSpan.Zero ? text + " ago"
            : "in " + text;
    }

    /// <summary>2026-11-24 08:15 UTC.</summary>
    public static string Moment(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC";

    /// <summary>The first 12 characters of a digest: enough to tell two apart at a glance.</summary>
    public static string ShortDigest(string digest) => digest.Length <= 12 ? digest : digest[..12];
}
