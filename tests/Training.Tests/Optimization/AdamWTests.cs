using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Optimization;
using ElectraPipeline.Training.Tests.Pretraining;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Optimization;

public sealed class AdamWTests
{
    public AdamWTests() => set_num_threads(1);

    [Fact]
    public void Only_biases_and_layer_norms_are_not_decayed()
    {
        ParameterLayout layout = ElectraPretrainingModel.Describe(TinyPretraining.Config());
        foreach (ParameterGroup group in ParameterGroup.For(layout, 0.01))
        {
            IEnumerable<ParameterSlot> slots = layout.Slots.Where(slot =>
                slot.Offset >= group.Offset && slot.Offset < group.Offset + group.Length
            );
            Assert.All(slots, slot => Assert.Equal(Exempt(slot.Name) ? 0 : 0.01, group.WeightDecay));
        }

        static bool Exempt(string name) =>
            name.Contains("LayerNorm", StringComparison.Ordinal) || name.EndsWith("bias", StringComparison.Ordinal);
    }

    [Fact]
    public void Steps_are_the_formula_in_every_group()
    {
        using var scope = NewDisposeScope();
        using ParameterStore store = Filled();
        using var optimizer = new AdamW([store], ParameterGroup.For(store.Layout, 0.1), new AdamOptions());
        Tensor start = store.Gradients.clone();
        double[] values = Doubles(store.Values),
            first = new double[values.Length],
            second = new double[values.Length];
        foreach (float size in new[] { 1f, -3f, 1e-4f, 2f, 1e-4f }) // those of 1e-4 are not clipped
        {
            store.Gradients.copy_(start * size);
            double[] gradient = Doubles(store.Gradients);
            double expectedNorm = Math.Sqrt(gradient.Sum(value => value * value)),
                norm = optimizer.Reduce(Backwards);
            Assert.Equal(size == 1e-4f, expectedNorm < 1);
            Assert.Equal(expectedNorm, norm, 1e-9 * expectedNorm);
            optimizer.Step(0.01, norm, Backwards);
            foreach (ParameterSlot slot in store.Layout.Slots)
            {
                for (long i = slot.Offset; i < slot.Offset + slot.Length; i++)
                {
                    double clipped = gradient[i] / Math.Max(1, norm);
                    first[i] = (0.9 * first[i]) + (0.1 * clipped);
                    second[i] = (0.999 * second[i]) + (0.001 * clipped * clipped);
                    values[i] -= 0.01 * ((first[i] / (Math.Sqrt(second[i]) + 1e-6)) + (slot.Decays ? 0.1 * values[i] : 0));
                }
            }

            Assert.Equal(0, store.Gradients.abs().max().item<float>());
            Assert.All(Doubles(store.Values).Zip(values), pair => Assert.Equal(pair.Second, pair.First, 2e-5));
        }

        static double[] Doubles(Tensor tensor) => Array.ConvertAll(Copy(tensor), value => (double)value);
    }

    [Fact]
    public void Replicas_gradients_are_summed_and_cleared()
    {
        using var scope = NewDisposeScope();
        using ParameterStore store = Filled();
        using ParameterStore replica = store.Replica();
        replica.Gradients.fill_(2);
        float[] own = Copy(store.Gradients);
        using var optimizer = new AdamW([store, replica], ParameterGroup.For(store.Layout, 0.1), new AdamOptions());
        optimizer.Reduce(Backwards);
        ParameterSlot slot = store.Layout.Slots[3];
        Assert.Equal(own[slot.Offset] + 2, store.Gradient(slot.Name).flatten()[0].item<float>());
        Assert.Equal(0, replica.Gradient(slot.Name).abs().max().item<float>());
    }

    // lr (1 - step / total) min(1, step / warm-up), by hand.
    [Theory]
    [InlineData(0, 0)]
    [InlineData(5, 0.5 * 0.95)]
    [InlineData(10, 0.9)]
    [InlineData(50, 0.5)]
    [InlineData(100, 0)]
    [InlineData(120, 0)]
    public void The_schedule_warms_up_and_decays_at_once(int step, double expected) =>
        Assert.Equal(2 * expected, new LearningRateSchedule(2, 10, 100).At(step), 1e-12);

    [Fact]
    public void Without_warm_up_the_first_step_has_the_full_rate() => Assert.Equal(3, new LearningRateSchedule(3, 0, 100).At(0));

    private static ParameterStore Filled()
    {
        var store = new ParameterStore(ElectraPretrainingModel.Describe(TinyPretraining.Config()), CPU);
        var random = new CounterRandom(5, 5);
        foreach (ParameterSlot slot in store.Layout.Slots)
        {
            float[] values = new float[slot.Length],
                gradients = new float[slot.Length];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = (float)random.NextNormal();
                gradients[i] = (float)random.NextNormal();
            }

            store.Value(slot.Name).copy_(tensor(values, [.. slot.Shape]));
            store.Gradient(slot.Name).copy_(tensor(gradients, [.. slot.Shape]));
        }

        return store;
    }

    private static float[] Copy(Tensor flat) => flat.data<float>().ToArray();

    /// <summary>Any order must do.</summary>
    private static void Backwards(int count, Action<int> work)
    {
        for (int i = count - 1; i >= 0; i--)
        {
            work(i);
        }
    }
}
