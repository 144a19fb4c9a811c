using System.Text.Json;
using ElectraPipeline.Training.Checkpoints.PyTorch;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Checkpoints;

/// <summary>The weights of a Hugging Face folder, in whichever of its four forms: safetensors or PyTorch's, one file or several.</summary>
internal static class WeightFiles
{
    /// <summary>Name of the weights as this program writes them.</summary>
    public const string SafeTensorsName = "model.safetensors";

    private const string PyTorchName = "pytorch_model.bin";
    private const string IndexSuffix = ".index.json";

    /// <summary>Opens the weights; safetensors are preferred where there are both.</summary>
    /// <exception cref="PermanentException">There are none, or they are damaged.</exception>
    public static ITensorSource Open(string folder)
    {
        string? name = Array.Find(
            [SafeTensorsName, SafeTensorsName + IndexSuffix, PyTorchName, PyTorchName + IndexSuffix],
            file => File.Exists(Path.Combine(folder, file))
        );
        return name is null
            ? throw new PermanentException(
                $"{folder}: there are no weights: neither {SafeTensorsName} nor {PyTorchName}, nor an index of several "
                    + $"({SafeTensorsName}{IndexSuffix})"
            )
            : OpenFile(Path.Combine(folder, name));
    }

    private static ITensorSource OpenFile(string path) =>
        Path.GetExtension(path) switch
        {
            ".json" => new ShardedWeights(path),
            ".bin" => PyTorchFile.Open(path),
            _ => SafeTensorsFile.Open(path),
        };

    /// <summary>Weights in several files, and an index that says which tensor is in which.</summary>
    private sealed class ShardedWeights : ITensorSource
    {
        private readonly Dictionary<string, ITensorSource> files = new(StringComparer.Ordinal);
        private readonly Dictionary<string, string> fileOf;

        public ShardedWeights(string path)
        {
            Path = path;
            fileOf = ReadIndex(path);
            try
            {
                foreach ((string name, string file) in fileOf)
                {
                    Check(name, file);
                }
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public string Path { get; }

        public IReadOnlyList<string> Files => [Path, .. files.Values.Select(file => file.Path)];

        public IReadOnlyList<string> Names => [.. fileOf.Keys];

        public bool Contains(string name) => fileOf.ContainsKey(name);

        public StoredTensor Describe(string name) => FileOf(name).Describe(name);

        public Tensor Read(string name) => FileOf(name).Read(name);

        public void Dispose()
        {
            foreach (ITensorSource file in files.Values)
            {
                file.Dispose();
            }
        }

        private static Dictionary<string, string> ReadIndex(string path)
        {
            try
            {
                using JsonDocument index = JsonDocument.Parse(File.ReadAllBytes(path));
                return index
                    .RootElement.GetProperty("weight_map")
                    .EnumerateObject()
                    .ToDictionary(
                        item => item.Name,
                        item => item.Value.GetString() ?? throw new PermanentException($"{path}: \"{item.Name}\" is in no file")
                    );
            }
            catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException)
            {
                throw new PermanentException(
                    $"{path}: not an index of weights, an object with a \"weight_map\" from tensors to files",
                    fault
                );
            }
        }

        private void Check(string name, string file)
        {
            if (System.IO.Path.GetFileName(file) != file || file.Length == 0)
            {
                throw new PermanentException($"{Path}: \"{name}\" is said to be in \"{file}\", which is no file of this folder");
            }

            if (!files.TryGetValue(file, out ITensorSource? source))
            {
                source = OpenFile(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Path)!, file));
                files.Add(file, source);
            }

            if (!source.Contains(name))
            {
                throw new PermanentException(
                    $"{source.Path}: there is no tensor \"{name}\", which {System.IO.Path.GetFileName(Path)} says is here"
                );
            }
        }

        private ITensorSource FileOf(string name) =>
            fileOf.TryGetValue(name, out string? file)
                ? files[file]
                : throw new PermanentException($"{Path}: there is no tensor \"{name}\" among its {fileOf.Count}");
    }
}
