using System.Reflection;

namespace ElectraPipeline.Jobs;

/// <summary>Which program this is.</summary>
public static class CodeVersionOf
{
    /// <summary>Version and, where it was built from a checkout, commit: "0.1.0+1a2b3c...".</summary>
    public static string ThisProgram { get; } =
        typeof(CodeVersionOf).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
