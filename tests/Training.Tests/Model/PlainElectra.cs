using ElectraPipeline.Training.Model;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Model;

/// <summary>
/// ELECTRA's forward pass for one sequence without padding, in plain loops over float64, from the tensors' names in Hugging Face's files.
/// It shares nothing with the model but the encoder's sizes, so that the model can be held against it at any of them.
/// </summary>
internal sealed class PlainElectra
{
    private const double Epsilon = 1e-12;
    private readonly EncoderConfig sizes;
    private readonly Dictionary<string, double[]> values;

    /// <summary>Copies a state dict.</summary>
    public PlainElectra(IEnumerable<(string Name, Tensor Value)> state, EncoderConfig sizes)
    {
        this.sizes = sizes;
        values = state.ToDictionary(
            pair => pair.Name,
            pair => Array.ConvertAll(pair.Value.contiguous().data<float>().ToArray(), value => (double)value)
        );
    }

    /// <summary>The numbers of one tensor, to change them.</summary>
    public double[] this[string name] => values[name];

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Has(string name) => values.ContainsKey(name);

    /// <summary>The encoder's input and each layer's output, [layers + 1][tokens][H].</summary>
    public List<double[][]> Encode(int[] ids, int[] types)
    {
        double[][] hidden = [.. ids.Select((id, position) => Embed(id, position, types[position]))];
        List<double[][]> states = [hidden];
        for (int layer = 0; layer < sizes.Layers; layer++)
        {
            states.Add(hidden = Layer($"electra.encoder.layer.{layer}.", hidden));
        }

        return states;
    }

    /// <summary>Logit of 'this token was replaced'.</summary>
    public double Detect(double[] state) =>
        Dense("discriminator_predictions.dense_prediction", Gelu(Dense("discriminator_predictions.dense", state)))[0];

    /// <summary>Logits of all tokens.</summary>
    public double[] Predict(double[] state)
    {
        double[] transformed = Norm("generator_predictions.LayerNorm", Gelu(Dense("generator_predictions.dense", state)));
        return Product(values["electra.embeddings.word_embeddings.weight"], transformed, values["generator_lm_head.bias"]);
    }

    /// <summary>A dense layer.</summary>
    public double[] Dense(string name, double[] input) => Product(values[name + ".weight"], input, values[name + ".bias"]);

    /// <summary>x * P(X below x), X being normal.</summary>
    public static double[] Gelu(double[] input) => Array.ConvertAll(input, x => 0.5 * x * (1 + Erf(x / Math.Sqrt(2))));

    /// <summary>log of the sum of exponentials.</summary>
    public static double LogSumExp(double[] logits)
    {
        double most = logits.Max();
        return most + Math.Log(logits.Sum(logit => Math.Exp(logit - most)));
    }

    private double[] Embed(int id, int position, int type)
    {
        double[] sum = Plus(Plus(Row("word", id), Row("token_type", type)), Row("position", position));
        double[] normed = Norm("electra.embeddings.LayerNorm", sum);
        return values.ContainsKey("electra.embeddings_project.weight") ? Dense("electra.embeddings_project", normed) : normed;
    }

    private double[] Row(string table, int index)
    {
        int width = values["electra.embeddings.LayerNorm.bias"].Length;
        return values[$"electra.embeddings.{table}_embeddings.weight"][(index * width)..((index + 1) * width)];
    }

    private double[][] Layer(string prefix, double[][] hidden)
    {
        double[][] query = Projected("query"),
            key = Projected("key"),
            value = Projected("value");
        int size = sizes.HiddenSize / sizes.AttentionHeads;
        var result = new double[hidden.Length][];
        for (int token = 0; token < hidden.Length; token++)
        {
            var context = new double[sizes.HiddenSize];
            for (int first = 0; first < sizes.HiddenSize; first += size)
            {
                double[] scores = [.. key.Select(other => Dot(query[token], other, first, size) / Math.Sqrt(size))];
                double total = LogSumExp(scores);
                for (int other = 0; other < scores.Length; other++)
                {
                    for (int i = first; i < first + size; i++)
                    {
                        context[i] += Math.Exp(scores[other] - total) * value[other][i];
                    }
                }
            }

            double[] attended = Norm(
                prefix + "attention.output.LayerNorm",
                Plus(Dense(prefix + "attention.output.dense", context), hidden[token])
            );
            double[] outer = Dense(prefix + "output.dense", Gelu(Dense(prefix + "intermediate.dense", attended)));
            result[token] = Norm(prefix + "output.LayerNorm", Plus(outer, attended));
        }

        return result;

        double[][] Projected(string name) => Array.ConvertAll(hidden, state => Dense($"{prefix}attention.self.{name}", state));
    }

    private double[] Norm(string name, double[] input)
    {
        double mean = input.Average(),
            variance = input.Average(x => (x - mean) * (x - mean));
        double[] scale = values[name + ".weight"],
            shift = values[name + ".bias"];
        return [.. input.Select((x, i) => ((x - mean) / Math.Sqrt(variance + Epsilon) * scale[i]) + shift[i])];
    }

    private static double[] Product(double[] weight, double[] input, double[] bias) =>
        [.. bias.Select((shift, row) => shift + input.Select((x, column) => x * weight[(row * input.Length) + column]).Sum())];

    private static double Dot(double[] a, double[] b, int first, int count) => Enumerable.Range(first, count).Sum(i => a[i] * b[i]);

    private static double[] Plus(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

    /// <summary>The error function by its Taylor series, which below 5 loses few digits.</summary>
    private static double Erf(double x)
    {
        if (Math.Abs(x) > 5)
        {
            return Math.Sign(x);
        }

        double term = x,
            sum = x;
        for (int n = 1; Math.Abs(term) > 1e-17; n++)
        {
            term *= -x * x / n;
            sum += term / ((2 * n) + 1);
        }

        return 2 / Math.Sqrt(Math.PI) * sum;
    }
}
