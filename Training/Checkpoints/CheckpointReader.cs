using System.Text.Json;

namespace ElectraPipeline.Training.Checkpoints;

/// <summary>A whole checkpoint, verified: its state and its tensors, which are read by name.</summary>
public sealed class Checkpoint : IDisposable
{
    internal Checkpoint(string folder, CheckpointState state, SafeTensorsFile tensors)
    {
        Folder = folder;
        State = state;
        Tensors = tensors;
    }

    /// <summary>Where it lies.</summary>
    public string Folder { get; }

    /// <summary>Step, data position, seed and configuration.</summary>
    public CheckpointState State { get; }

    /// <summary>The named tensors.</summary>
    public SafeTensorsFile Tensors { get; }

    /// <inheritdoc/>
    public void Dispose() => Tensors.Dispose();
}

/// <summary>Finds and verifies checkpoints that <see cref="CheckpointWriter"/> wrote.</summary>
public static class CheckpointReader
{
    /// <summary>
    /// Opens what <paramref name="path"/> holds: a checkpoint folder, or a folder of checkpoints, of which the newest whole one is taken.
    /// A damaged one is named by <paramref name="log"/> and the next older is tried: training from there gives the same result.
    /// </summary>
    /// <returns>Null if there is no checkpoint at all.</returns>
    /// <exception cref="PermanentException">There are checkpoints and every one is damaged, or of another version.</exception>
    public static Checkpoint? OpenNewest(string path, Action<string> log)
    {
        if (File.Exists(Path.Combine(path, CheckpointWriter.StateFile)))
        {
            return Open(path);
        }

        List<string> faults = [];
        foreach (string folder in Candidates(path))
        {
            try
            {
                return Open(folder);
            }
            catch (PermanentException fault)
            {
                faults.Add(fault.Message);
                log($"checkpoint refused: {fault.Message}");
            }
        }

        return faults.Count == 0
            ? null
            : throw new PermanentException(
                $"{path}: no checkpoint can be used ({string.Join("; ", faults)}). Delete them to start " + "again from step 0."
            );
    }

    /// <summary>Opens one checkpoint folder and checks its version and the digest of its tensors.</summary>
    /// <exception cref="PermanentException">It is truncated, changed, or of another version; the message says which.</exception>
    public static Checkpoint Open(string folder)
    {
        CheckpointState state = ReadState(Path.Combine(folder, CheckpointWriter.StateFile));
        string tensorPath = Path.Combine(folder, CheckpointWriter.TensorFile);
        if (!File.Exists(tensorPath))
        {
            throw new PermanentException($"{tensorPath}: there is no such file; the checkpoint is not whole");
        }

        string digest = CheckpointWriter.Digest(tensorPath);
        return digest == state.TensorDigest
            ? new Checkpoint(folder, state, SafeTensorsFile.Open(tensorPath))
            : throw new PermanentException(
                $"{tensorPath}: SHA-256 is {digest}, the checkpoint says {state.TensorDigest}: truncated " + "or changed"
            );
    }

    /// <summary>Folders with a checkpoint's name, highest step first. Unfinished ones have another name.</summary>
    internal static IEnumerable<string> Candidates(string folder) =>
        Directory.Exists(folder)
            ? Directory
                .GetDirectories(folder)
                .Where(path => CheckpointWriter.StepOf(path) is not null)
                .OrderByDescending(path => CheckpointWriter.StepOf(path))
            : [];

    private static CheckpointState ReadState(string path)
    {
        try
        {
            byte[] json = File.ReadAllBytes(path);
            CheckVersion(path, json);
            return JsonSerializer.Deserialize<CheckpointState>(json, CheckpointWriter.Json)!;
        }
        catch (Exception fault) when (fault is JsonException or FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PermanentException($"{path}: not a checkpoint's state: {fault.Message}", fault);
        }
    }

    // Before the rest is read: another version may have other keys, and the version is what the user needs to hear of.
    private static void CheckVersion(string path, byte[] json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        int version =
            document.RootElement.ValueKind == JsonValueKind.Object
            && document.RootElement.TryGetProperty("formatVersion", out JsonElement value)
            && value.TryGetInt32(out int number)
                ? number
                : 0;
        if (version != CheckpointState.CurrentVersion)
        {
            throw new PermanentException(
                $"{path}: checkpoint format {version}, this program reads {CheckpointState.CurrentVersion}: "
                    + "go on with the version of the program that wrote it, or start again"
            );
        }
    }
}
