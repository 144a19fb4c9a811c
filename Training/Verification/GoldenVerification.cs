using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Pretraining;
using TorchSharp;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Verification;

/// <summary>Compares this implementation with numbers another one produced, for any sizes.</summary>
/// <remarks>
/// The folder holds <c>discriminator/</c> and <c>generator/</c> (config.json, model.safetensors in Hugging Face's layout), perhaps
/// <c>heads/*/</c> (the same), <c>forward.safetensors</c> (a batch, hidden states, logits) and <c>training.safetensors</c> with
/// <c>training.json</c> (steps with every random draw recorded). Padding is not compared.
/// </remarks>
public static class GoldenVerification
{
    private const double ForwardTolerance = 1e-5;
    private const string HeadsName = "heads";

    /// <summary>All comparisons that the folder allows, computed on <paramref name="device"/>: "auto", "cpu" or "cuda".</summary>
    /// <exception cref="PermanentException">The folder or a file in it is missing or damaged, or there is no such device.</exception>
    public static IReadOnlyList<GoldenDifference> Run(string folder, string device = "cpu")
    {
        set_num_threads(1);
        Device resolved = TorchDevice.Resolve(device);
        return [.. Forward(folder, resolved), .. GoldenTraining.Run(folder, resolved)];
    }

    /// <summary>Hidden states of the discriminator and the logits of both and of the heads, against <c>forward.safetensors</c>.</summary>
    internal static List<GoldenDifference> Forward(string folder, Device device)
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        var golden = new GoldenFolder(folder);
        using SafeTensorsFile file = SafeTensorsFile.Open(golden.File("forward.safetensors"));
        using ElectraPretrainingModel model = golden.LoadModel(device);
        Tensor mask = file.Read("attention_mask");
        EncoderInput input = ReadInput(file, "input_ids", mask, device);
        Tensor real = mask.@bool();
        List<GoldenDifference> differences = [];

        List<Tensor> states = [];
        Tensor hidden = model.Main.Forward(input, dropout: null, states);
        for (int i = 0; i < states.Count; i++)
        {
            Compare($"discriminator.hidden_states.{i}", states[i]);
        }

        Compare("discriminator.logits", model.DetectionHead.Forward(hidden));
        Tensor transformed = model.GeneratorHead.Transform(model.Generator.Forward(input, dropout: null));
        Compare("generator.logits", model.GeneratorHead.Decode(transformed));
        string heads = golden.File(HeadsName);
        string[] folders = Directory.Exists(heads) ? Directory.GetDirectories(heads) : [];
        foreach (string head in folders.Order(StringComparer.Ordinal))
        {
            foreach ((string name, Tensor value, bool perToken) in GoldenHeads.Forward(head, input, device))
            {
                Compare($"{Path.GetFileName(head)}.{name}", value, perToken);
            }
        }

        return differences;

        void Compare(string name, Tensor value, bool perToken = true)
        {
            Tensor expected = file.Read(name);
            if (expected.numel() != value.numel())
            {
                throw new PermanentException(
                    $"{file.Path}: \"{name}\" is [{string.Join(", ", expected.shape)}], "
                        + $"the model gives [{string.Join(", ", value.shape)}]"
                );
            }

            Tensor computed = value.cpu().view(expected.shape);
            differences.Add(
                perToken
                    ? Between($"forward/{name}", computed[real], expected[real], ForwardTolerance)
                    : Between($"forward/{name}", computed, expected, ForwardTolerance)
            );
        }
    }

    /// <summary>A recorded batch: ids under <paramref name="idsName"/>, segments under the same prefix.</summary>
    internal static EncoderInput ReadInput(SafeTensorsFile file, string idsName, Tensor mask, Device? device = null)
    {
        string prefix = idsName[..^"input_ids".Length];
        using Tensor types = file.Read(prefix + "token_type_ids");
        int[] lengths = Lengths(mask);
        return EncoderInput.Create(Ints(file.Read(idsName)), lengths, SecondSegments(types, lengths), device ?? CPU);
    }

    /// <summary>Where each second segment starts, from token types [B, L].</summary>
    internal static int[] SecondSegments(Tensor types, int[] lengths) =>
        [.. types.data<long>().ToArray().Chunk((int)types.shape[1]).Select((row, b) => SecondSegment(row, lengths[b], b))];

    /// <summary>Real tokens of each sequence, from a mask [B, L].</summary>
    internal static int[] Lengths(Tensor mask) => [.. mask.data<long>().ToArray().Chunk((int)mask.shape[1]).Select(RealTokens)];

    /// <summary>Token ids as 32-bit integers, flattened.</summary>
    internal static int[] Ints(Tensor ids) => [.. ids.cpu().contiguous().data<long>().ToArray().Select(value => (int)value)];

    /// <summary>Compares two tensors on the CPU, allowing a largest absolute difference.</summary>
    internal static GoldenDifference Between(string name, Tensor value, Tensor expected, double tolerance)
    {
        using var scope = NewDisposeScope();
        return expected.numel() == 0
            ? GoldenDifference.Of(name, 0, 0, tolerance)
            : GoldenDifference.Of(name, (value - expected).abs().max().ToSingle(), expected.abs().max().ToSingle(), tolerance);
    }

    private static int SecondSegment(long[] types, int length, int row)
    {
        int first = Array.IndexOf(types, 1, 0, length);
        int end = first < 0 ? length : first;
        return types.AsSpan(end, length - end).IndexOfAnyExcept(1) < 0
            ? end
            : throw new PermanentException($"token_type_ids of sequence {row}: tokens of segment 1 must be the last of the real ones");
    }

    private static int RealTokens(long[] mask, int row)
    {
        int length = mask.Count(value => value == 1);
        return mask.AsSpan(0, length).IndexOfAnyExcept(1) < 0
            ? length
            : throw new PermanentException($"attention_mask of sequence {row}: padding must stand behind the real tokens");
    }
}
