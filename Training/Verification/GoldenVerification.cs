using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Verification;

/// <summary>Compares this implementation with numbers another one produced, for any sizes.</summary>
/// <remarks>
/// The folder holds <c>discriminator/</c> and <c>generator/</c> (config.json, model.safetensors in Hugging Face's layout),
/// <c>forward.safetensors</c> (a batch, hidden states, logits) and <c>training.safetensors</c> with <c>training.json</c> (steps with
/// every random draw recorded). Padding is not compared.
/// </remarks>
public static class GoldenVerification
{
    private const double ForwardTolerance = 1e-5;

    /// <summary>All comparisons that the folder allows.</summary>
    /// <exception cref="PermanentException">The folder or a file in it is missing or damaged.</exception>
    public static IReadOnlyList<GoldenDifference> Run(string folder)
    {
        set_num_threads(1);
        return [.. Forward(folder), .. GoldenTraining.Run(folder)];
    }

    /// <summary>Hidden states of the discriminator and the logits of both, against <c>forward.safetensors</c>.</summary>
    internal static List<GoldenDifference> Forward(string folder)
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        var golden = new GoldenFolder(folder);
        using SafeTensorsFile file = SafeTensorsFile.Open(golden.File("forward.safetensors"));
        using ElectraPretrainingModel model = golden.LoadModel();
        Tensor mask = file.Read("attention_mask");
        EncoderInput input = ReadInput(file, "input_ids", mask);
        Tensor real = mask.view(-1).@bool();
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
        return differences;

        void Compare(string name, Tensor value)
        {
            Tensor expected = file.Read(name).view(value.shape);
            differences.Add(new($"forward/{name}", MaxDifference(value[real], expected[real]), ForwardTolerance));
        }
    }

    /// <summary>A recorded batch: ids under <paramref name="idsName"/>, segments under the same prefix.</summary>
    internal static EncoderInput ReadInput(SafeTensorsFile file, string idsName, Tensor mask)
    {
        string prefix = idsName[..^"input_ids".Length];
        using Tensor types = file.Read(prefix + "token_type_ids");
        int[] lengths = [.. mask.sum(1).data<long>().ToArray().Select(value => (int)value)];
        return EncoderInput.Create(Ints(file.Read(idsName)), lengths, SecondSegments(types, lengths), CPU);
    }

    /// <summary>Where each second segment starts, from token types [B, L].</summary>
    internal static int[] SecondSegments(Tensor types, int[] lengths) =>
        [.. types.data<long>().ToArray().Chunk((int)types.shape[1]).Select((row, b) => SecondSegment(row, lengths[b]))];

    /// <summary>Token ids as 32-bit integers, flattened.</summary>
    internal static int[] Ints(Tensor ids) => [.. ids.data<long>().ToArray().Select(value => (int)value)];

    /// <summary>Largest absolute difference; NaN if anything is not a number.</summary>
    internal static double MaxDifference(Tensor value, Tensor expected)
    {
        using Tensor difference = (value - expected).abs();
        return difference.numel() == 0 ? 0 : difference.max().ToSingle();
    }

    private static int SecondSegment(long[] types, int length)
    {
        int first = Array.IndexOf(types, 1, 0, length);
        return first < 0 ? length : first;
    }
}
