using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ElectraPipeline.Storage;

/// <summary>
/// Named places where a campaign of faults (tests/Chaos) lets a process die or a call fail. Without a plan in the environment variable
/// ELECTRA_FAULTS they do nothing.
/// </summary>
public static class FaultPoint
{
    /// <summary>The variable: <c>{"seed": 7, "perMille": 20, "log": "FILE"}</c>.</summary>
    public const string Variable = "ELECTRA_FAULTS";

    private const int KillSignal = 9;
    private static readonly Plan? Planned = Read(Environment.GetEnvironmentVariable(Variable));
    private static readonly Lock Gate = new();
    private static int reached;

    /// <summary>Reaches a place: as a rule nothing happens, by plan the process dies here or the failure is thrown.</summary>
    /// <param name="place">What is about to happen, or has: "before the rename".</param>
    /// <param name="failure">Makes the exception that a real fault would show here; null: an <see cref="IOException"/>.</param>
    public static void Reach(string place, Func<string, Exception>? failure = null)
    {
        if (Planned is { } plan)
        {
            Draw(plan, place, failure);
        }
    }

    private static void Draw(Plan plan, string place, Func<string, Exception>? failure)
    {
        // By process id too: a child of the same plan must not die at the same place for ever.
        int count = Interlocked.Increment(ref reached);
        byte[] draw = SHA256.HashData(Encoding.UTF8.GetBytes($"{plan.Seed}/{Environment.ProcessId}/{place}/{count}"));
        if (BitConverter.ToUInt16(draw) % 1000 >= plan.PerMille)
        {
            return;
        }

        bool dies = draw[2] % 2 == 0;
        lock (Gate)
        {
            File.AppendAllText(plan.Log, $"{(dies ? "died" : "failed")} {place}\n");
        }

        if (dies)
        {
            NativeFile.Signal(Environment.ProcessId, KillSignal);
            Thread.Sleep(Timeout.Infinite);
        }

        string message = $"fault {place}";
        throw failure?.Invoke(message) ?? new IOException(message);
    }

    private static Plan? Read(string? text) =>
        string.IsNullOrEmpty(text) ? null : JsonSerializer.Deserialize<Plan>(text, JsonSerializerOptions.Web);

    private sealed record Plan(ulong Seed, int PerMille, string Log);
}
