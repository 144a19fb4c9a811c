using System.Text.Json;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Pretraining;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Verification;

/// <summary>A folder of reference numbers: two Hugging Face models that share embeddings, forward passes and training steps.</summary>
internal sealed class GoldenFolder(string folder)
{
    /// <summary>The folder.</summary>
    public string Path { get; } =
        Directory.Exists(folder) ? folder : throw new PermanentException($"{folder}: there is no such folder of reference numbers");

    /// <summary>A file in it.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>The reference model; its parameters are read from <c>discriminator/</c> and <c>generator/</c>.</summary>
    /// <exception cref="PermanentException">One of them is missing or damaged.</exception>
    public ElectraPretrainingModel LoadModel(Device device)
    {
        foreach (string part in new[] { ElectraModelFolder.DiscriminatorName, ElectraModelFolder.GeneratorName })
        {
            if (!Directory.Exists(File(part)))
            {
                throw new PermanentException(
                    $"{Path}: there is no {part}/; reference numbers are those of a discriminator and a generator"
                );
            }
        }

        return ElectraModelReader.Read(Path, device);
    }

    /// <summary>Parses a JSON file of the folder.</summary>
    public JsonDocument Json(string name)
    {
        try
        {
            return JsonDocument.Parse(System.IO.File.ReadAllBytes(File(name)));
        }
        catch (Exception fault) when (fault is IOException or JsonException)
        {
            throw new PermanentException($"{File(name)}: cannot be read as JSON: {fault.Message}", fault);
        }
    }
}
