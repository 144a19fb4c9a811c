using ElectraPipeline.Training.Finetuning;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Tests.Pretraining;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Model;

/// <summary>First values by the names of the parameters: what the official code draws, and what lets narrow models learn early.</summary>
public sealed class ParameterInitializerTests
{
    // Standard deviation of a normal distribution cut at two of its own.
    private const double CutDeviation = 0.8796;

    public ParameterInitializerTests() => set_num_threads(1);

    [Fact]
    public void Normal_is_the_official_codes()
    {
        using ElectraPretrainingModel model = Model("normal");
        foreach ((string name, long[] shape, float[] values) in ValuesOf(model.Parameters))
        {
            if (shape.Length == 1)
            {
                AssertVector(name, values);
            }
            else if (
                name.EndsWith("embeddings_project.weight", StringComparison.Ordinal)
                || name.EndsWith("dense_prediction.weight", StringComparison.Ordinal)
            )
            {
                AssertGlorot(name, shape, values);
            }
            else
            {
                AssertTruncatedNormal(name, values, 0.02);
            }
        }
    }

    [Fact]
    public void Scaled_keeps_the_size_of_activations_and_starts_undecided()
    {
        using ElectraPretrainingModel model = Model("scaled");
        foreach ((string name, long[] shape, float[] values) in ValuesOf(model.Parameters))
        {
            if (shape.Length == 1)
            {
                AssertVector(name, values);
            }
            else if (name.EndsWith("dense_prediction.weight", StringComparison.Ordinal))
            {
                Assert.All(values, value => Assert.Equal(0, value));
            }
            else if (name.EndsWith("position_embeddings.weight", StringComparison.Ordinal))
            {
                int width = (int)shape[1];
                double[] third = [.. Enumerable.Range(0, width).Select(i => 3 / Math.Pow(10_000, i / 2 * 2 / (double)width))];
                Assert.All(
                    third.Index(),
                    item =>
                        Assert.Equal(
                            0.05 * (item.Index % 2 == 0 ? Math.Sin(item.Item) : Math.Cos(item.Item)),
                            values[(3 * width) + item.Index],
                            1e-6
                        )
                );
            }
            else if (name.Contains("_embeddings.", StringComparison.Ordinal))
            {
                AssertTruncatedNormal(name, values, 0.05);
            }
            else
            {
                AssertGlorot(name, shape, values);
            }
        }
    }

    [Fact]
    public void Heads_of_tasks_are_drawn_as_TensorFlow_does_without_being_told()
    {
        TaskHead[] heads = [new SequenceHead(3), new TokenHead(5), new SpanHead()];
        foreach (TaskHead head in heads)
        {
            using TaskModel model = new(TinyPretraining.Config(), head, headDropout: 0, CPU);
            model.Initialize(3);
            (string Name, long[] Shape, float[] Values)[] own =
            [
                .. ValuesOf(model.Parameters)
                    .Where(item => !item.Name.StartsWith("electra.", StringComparison.Ordinal) && item.Shape.Length > 1),
            ];
            Assert.NotEmpty(own);
            Assert.All(own, item => AssertGlorot(item.Name, item.Shape, item.Values));
        }
    }

    [Fact]
    public void Values_are_a_function_of_the_seed_and_the_name()
    {
        using ElectraPretrainingModel one = Model("normal"),
            again = Model("normal"),
            other = Model("normal", seed: 6);
        float[] first = one.Parameters.Values.data<float>().ToArray();
        Assert.Equal(first, again.Parameters.Values.data<float>().ToArray());
        Assert.NotEqual(first, other.Parameters.Values.data<float>().ToArray());
        string[] layers =
        [
            "discriminator.electra.encoder.layer.0.output.dense.weight",
            "discriminator.electra.encoder.layer.1.output.dense.weight",
        ];
        Assert.NotEqual(one.Parameters.Value(layers[0]).data<float>().ToArray(), one.Parameters.Value(layers[1]).data<float>().ToArray());
    }

    private static ElectraPretrainingModel Model(string initialization, ulong seed = 5)
    {
        ElectraConfig config = TinyPretraining.Config(initialization: initialization) with
        {
            EmbeddingSize = 48,
            Discriminator = new()
            {
                Layers = 2,
                HiddenSize = 64,
                IntermediateSize = 128,
                AttentionHeads = 2,
            },
        };
        var model = new ElectraPretrainingModel(config, CPU);
        model.Initialize(seed);
        return model;
    }

    private static IEnumerable<(string Name, long[] Shape, float[] Values)> ValuesOf(ParameterStore store) =>
        store.Layout.Slots.Select(slot => (slot.Name, slot.Shape.ToArray(), store.Value(slot.Name).contiguous().data<float>().ToArray()));

    private static void AssertVector(string name, float[] values) =>
        Assert.All(values, value => Assert.Equal(name.EndsWith("LayerNorm.weight", StringComparison.Ordinal) ? 1 : 0, value));

    private static void AssertTruncatedNormal(string name, float[] values, double deviation)
    {
        Assert.True(values.Max(Math.Abs) <= 2 * deviation, name);
        AssertDeviation(name, values, CutDeviation * deviation);
    }

    private static void AssertGlorot(string name, long[] shape, float[] values)
    {
        double limit = Math.Sqrt(6.0 / (shape[0] + shape[1]));
        Assert.True(values.Max(Math.Abs) <= limit && values.Max(Math.Abs) > 0.9 * limit, name);
        AssertDeviation(name, values, limit / Math.Sqrt(3));
    }

    /// <summary>Within four standard errors, roughly.</summary>
    private static void AssertDeviation(string name, float[] values, double expected)
    {
        double found = Math.Sqrt(values.Average(value => (double)value * value)),
            allowed = 3 * expected / Math.Sqrt(values.Length);
        Assert.True(Math.Abs(found - expected) <= allowed, $"{name}: {found}, not {expected}");
        Assert.True(Math.Abs(values.Average()) <= 4 * expected / Math.Sqrt(values.Length), $"{name}: mean {values.Average()}");
    }
}
