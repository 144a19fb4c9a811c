using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Checkpoints;

/// <summary>
/// Writes checkpoints as folders <c>step-000123</c> of <c>state.safetensors</c> and <c>state.json</c>, each whole or not there, and keeps
/// the newest <paramref name="keep"/> of those still in the folder (a receiver may have moved some away); 0 keeps all.
/// </summary>
public sealed class CheckpointWriter(string folder, int keep = 0)
{
    internal const string StateFile = "state.json";
    internal const string TensorFile = "state.safetensors";

    internal static readonly JsonSerializerOptions Json = new(JsonSerializerOptions.Strict)
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    /// <summary>Writes one checkpoint and returns its folder. One already there for the same step is replaced.</summary>
    public string Write(CheckpointState state, IReadOnlyList<(string Name, Tensor Tensor)> tensors)
    {
        string target = Path.Combine(folder, NameOf(state.Step));
        DurableFolder.Write(
            target,
            partial =>
            {
                string tensorPath = Path.Combine(partial, TensorFile);
                SafeTensors.Write(tensorPath, tensors);
                CheckpointState complete = state with { TensorDigest = Digest(tensorPath) };
                DurableFile.Write(Path.Combine(partial, StateFile), JsonSerializer.SerializeToUtf8Bytes(complete, Json));
            }
        );
        Prune(state.Step);
        return target;
    }

    internal static string NameOf(long step) => string.Create(CultureInfo.InvariantCulture, $"step-{step:D6}");

    /// <summary>The step that a checkpoint folder's name says, or null where the name is no checkpoint's.</summary>
    internal static long? StepOf(string checkpointFolder)
    {
        string name = Path.GetFileName(checkpointFolder);
        return
            name.StartsWith("step-", StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out long step)
            ? step
            : null;
    }

    internal static string Digest(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private void Prune(long writtenStep)
    {
        if (keep <= 0)
        {
            return;
        }

        // Steps above the one just written are left from an attempt that this one rolled back: they are not newer, they are stale.
        string[] older = [.. CheckpointReader.Candidates(folder).Where(other => StepOf(other) < writtenStep)];
        string[] stale = [.. CheckpointReader.Candidates(folder).Where(other => StepOf(other) > writtenStep)];
        foreach (string checkpoint in (string[])[.. stale, .. older.Skip(keep - 1)])
        {
            DurableFolder.DeleteWhole(checkpoint);
        }
    }
}
