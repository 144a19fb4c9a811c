using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tests.Pretraining;
using Xunit;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace ElectraPipeline.Training.Tests.Objective;

/// <summary>Each objective's losses and gradients against its formula, written down in whole tensors and left to autograd.</summary>
public sealed class ObjectiveGradientTests
{
    private static readonly LossScale Scale = new(0.3, 0.7);

    public ObjectiveGradientTests() => set_num_threads(1);

    public static TheoryData<string> Names => [.. PretrainingObjectives.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Loss_and_gradient_are_those_of_the_formula(string name)
    {
        using var scope = NewDisposeScope();
        using ElectraPretrainingModel model = Model(name);
        MaskedBatch batch = Masked();
        var sampler = new FixedSampler(batch, model.Config.VocabularySize);
        ObjectiveSums sums = PretrainingObjectives
            .Create(name, model, new ObjectiveSettings { Ids = TinyPretraining.Ids })
            .Accumulate(batch, sampler, Scale, dropout: null);
        float[] gradients = model.Parameters.Gradients.data<float>().ToArray();

        model.Parameters.Gradients.zero_();
        (Tensor? generator, Tensor main) = Formula(name, model, batch, sampler.Tokens);
        Tensor total = main * Scale.Main + (generator is null ? 0 : generator * Scale.Generator);
        total.backward();
        float[] expected = model.Parameters.Gradients.data<float>().ToArray();

        Assert.Equal(generator?.item<float>() ?? 0, sums.GeneratorLoss, Math.Abs(sums.GeneratorLoss) * 1e-5);
        Assert.Equal(main.item<float>(), sums.MainLoss, Math.Abs(sums.MainLoss) * 1e-5);
        float size = expected.Max(Math.Abs);
        Assert.True(size > 0.1);
        foreach (ParameterSlot slot in model.Parameters.Layout.Slots)
        {
            for (long i = slot.Offset; i < slot.Offset + slot.Length; i++)
            {
                Assert.True(Math.Abs(expected[i] - gradients[i]) <= 2e-5f * size, $"{slot.Name}: {gradients[i]}, not {expected[i]}");
            }
        }
    }

    private static (Tensor? Generator, Tensor Main) Formula(string name, ElectraPretrainingModel model, MaskedBatch batch, int[] tokens) =>
        name switch
        {
            "mlm" => (null, CrossEntropy(model.LanguageModelHead, Hidden(model, batch, batch.MaskedIds), batch.Positions, batch)),
            "electric" => Electric(model, batch, tokens),
            _ => (
                CrossEntropy(
                    model.GeneratorHead,
                    model.Generator.Forward(Input(batch, batch.MaskedIds), dropout: null),
                    batch.Positions,
                    batch
                ),
                AfterReplacement(name, model, batch, tokens)
            ),
        };

    private static Tensor AfterReplacement(string name, ElectraPretrainingModel model, MaskedBatch batch, int[] tokens)
    {
        CorruptedBatch corrupted = TokenReplacement.Corrupt(new DeviceBatch(batch, CPU), Longs(tokens));
        Tensor hidden = model.Main.Forward(Input(batch, batch.OriginalIds).WithIds(corrupted.Ids), dropout: null);
        if (name == "replace-mlm")
        {
            return CrossEntropy(model.LanguageModelHead, hidden, batch.Positions, batch);
        }

        Tensor replaced = corrupted.Replaced,
            logits = model.DetectionHead.Forward(hidden);
        if (name == "all-tokens-mlm")
        {
            Tensor rows = Longs(batch.RealPositions()),
                labels = Longs(batch.OriginalIds).index_select(0, rows).unsqueeze(1);
            Tensor softmax = nn.functional.softmax(
                model.LanguageModelHead.Decode(model.LanguageModelHead.Transform(hidden.index_select(0, rows))),
                -1
            );
            Tensor copy = (-logits.index_select(0, rows)).sigmoid();
            return -((copy * (1 - replaced.index_select(0, rows))) + ((1 - copy) * softmax.gather(1, labels).squeeze(1))).log().sum();
        }

        Tensor losses = -((replaced * logits.sigmoid().log()) + ((1 - replaced) * (1 - logits.sigmoid()).log()));
        return losses.index_select(0, Longs(name == "electra-15" ? batch.Positions : batch.RealPositions())).sum();
    }

    private static (Tensor Generator, Tensor Main) Electric(ElectraPretrainingModel model, MaskedBatch batch, int[] tokens)
    {
        int[] real = batch.RealPositions(),
            predicted = [.. real.Where(position => !TinyPretraining.Ids.Contains(batch.OriginalIds[position]))];
        Tensor states = model.Towers.Forward(Input(batch, batch.OriginalIds), dropout: null);
        Tensor logits = model.GeneratorHead.Decode(model.GeneratorHead.Transform(states));
        Tensor generator = cross_entropy(
            logits.index_select(0, Longs(predicted)),
            Longs([.. predicted.Select(p => batch.OriginalIds[p])]),
            reduction: nn.Reduction.Sum
        );

        // Noise k q against data (1 - k) exp(-E): the posterior of 'noise' by Bayes.
        Tensor ids = TokenReplacement.Corrupt(new DeviceBatch(batch, CPU), Longs(tokens)).Ids;
        Tensor hidden = model.Main.Forward(Input(batch, batch.OriginalIds).WithIds(ids), dropout: null);
        Tensor noise = log_softmax(logits, -1).detach().gather(1, ids.unsqueeze(1)).squeeze(1).exp() * 0.15;
        Tensor data = (-model.DetectionHead.Forward(hidden)).exp() * 0.85;
        Tensor isNoise = noise / (noise + data),
            drawn = tensor(batch.OneAt(batch.Positions));
        Tensor losses = -((drawn * isNoise.log()) + ((1 - drawn) * (1 - isNoise).log()));
        return (generator, losses.index_select(0, Longs(real)).sum());
    }

    private static Tensor CrossEntropy(LanguageModelHead head, Tensor hidden, int[] positions, MaskedBatch batch) =>
        cross_entropy(
            head.Decode(head.Transform(hidden.index_select(0, Longs(positions)))),
            Longs([.. positions.Select(position => batch.OriginalIds[position])]),
            reduction: nn.Reduction.Sum
        );

    private static Tensor Hidden(ElectraPretrainingModel model, MaskedBatch batch, int[] ids) =>
        model.Main.Forward(Input(batch, ids), dropout: null);

    private static EncoderInput Input(MaskedBatch batch, int[] ids) => EncoderInput.Create(ids, batch.Lengths, batch.SecondSegments, CPU);

    private static Tensor Longs(int[] values) => tensor(Array.ConvertAll(values, value => (long)value));

    /// <summary>Larger weights than at the start, so that no part of the gradient is lost in rounding.</summary>
    private static ElectraPretrainingModel Model(string name)
    {
        var model = new ElectraPretrainingModel(TinyPretraining.Config(parts: PretrainingObjectives.PartsOf(name)), CPU);
        var random = new CounterRandom(5, 6);
        foreach (ParameterSlot slot in model.Parameters.Layout.Slots)
        {
            float[] values = new float[slot.Length];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = (slot.Initial == InitialValue.One ? 1 : 0) + (float)(random.NextNormal() * 0.2);
            }

            model.Set(slot.Name, tensor(values, [.. slot.Shape]));
        }

        return model;
    }

    private static MaskedBatch Masked()
    {
        ExampleBatch batch = TinyPretraining.Batch(0);
        return new DynamicMasking(TinyPretraining.Ids, 0.15, new MaskShares(0.85), withReplacement: false).Mask(
            batch.InputIds,
            batch.Lengths,
            batch.SecondSegmentStarts,
            seed: 1,
            step: 0
        );
    }

    /// <summary>Tokens that were chosen before: each masked position's own where its number is a multiple of three, else another.</summary>
    private sealed class FixedSampler(MaskedBatch batch, int vocabulary) : ITokenSampler
    {
        public int[] Tokens { get; } =
        [.. batch.Labels().Select((label, i) => i % 3 == 0 ? label : 5 + ((label + (7 * i)) % (vocabulary - 5)))];

        public Tensor Sample(Tensor logits, Tensor probabilities, int[] positions) =>
            Longs(Array.ConvertAll(positions, position => Tokens[position]));
    }
}
