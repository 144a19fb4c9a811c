using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tests.Pretraining;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Objective;

public sealed class ElectraObjectiveTests : IDisposable
{
    private const string Words = "discriminator.electra.embeddings.word_embeddings.weight";
    private readonly ElectraPretrainingModel model = new(TinyPretraining.Config(), CPU);

    public ElectraObjectiveTests()
    {
        set_num_threads(1);
        model.Initialize(3);
    }

    public void Dispose() => model.Dispose();

    [Fact]
    public void Detection_gives_the_generator_no_gradient()
    {
        float[] gradients = Gradients(new LossScale(0, 1));
        foreach (ParameterSlot slot in model.Parameters.Layout.Slots)
        {
            bool generatorOnly = slot.Name.StartsWith("generator.", StringComparison.Ordinal);
            bool zero = gradients.AsSpan((int)slot.Offset, (int)slot.Length).IndexOfAnyExcept(0f) < 0;
            Assert.True(zero == generatorOnly || slot.Name.EndsWith("key.bias", StringComparison.Ordinal), slot.Name);
        }
    }

    [Fact]
    public void Masked_language_modeling_gives_the_discriminator_no_gradient_but_the_shared_embeddings()
    {
        float[] gradients = Gradients(new LossScale(1, 0));
        foreach (ParameterSlot slot in model.Parameters.Layout.Slots)
        {
            bool reached =
                !slot.Name.StartsWith("discriminator.", StringComparison.Ordinal)
                || slot.Name.Contains("electra.embeddings.", StringComparison.Ordinal);
            bool zero = gradients.AsSpan((int)slot.Offset, (int)slot.Length).IndexOfAnyExcept(0f) < 0;
            Assert.True(zero != reached || slot.Name.EndsWith("key.bias", StringComparison.Ordinal), slot.Name);
        }
    }

    [Fact]
    public void Shared_embeddings_get_the_sum_of_both_gradients()
    {
        float[] generator = Gradients(new LossScale(1, 0)),
            discriminator = Gradients(new LossScale(0, 1));
        float[] both = Gradients(new LossScale(1, 1));
        ParameterSlot words = model.Parameters.Layout.ByName[Words];
        for (int i = (int)words.Offset; i < words.Offset + words.Length; i++)
        {
            Assert.Equal(generator[i] + discriminator[i], both[i], 1e-4f);
        }
    }

    [Fact]
    public void The_hand_written_gradient_is_autograds()
    {
        float[] gradients = Gradients(new LossScale(1, 0));
        using var scope = NewDisposeScope();
        model.Parameters.Gradients.zero_();
        MaskedBatch batch = Masked();
        EncoderInput input = EncoderInput.Create(batch.MaskedIds, batch.Lengths, batch.SecondSegments, CPU);
        Tensor positions = tensor(Array.ConvertAll(batch.Positions, position => (long)position));
        Tensor transformed = model.GeneratorHead.Transform(model.Generator.Forward(input, dropout: null).index_select(0, positions));
        Tensor labels = tensor(Array.ConvertAll(batch.Labels(), id => (long)id));
        nn.functional.cross_entropy(model.GeneratorHead.Decode(transformed), labels, reduction: nn.Reduction.Sum).backward();
        float[] expected = model.Parameters.Gradients.data<float>().ToArray();
        Assert.All(gradients.Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 1e-4f));
        Assert.True(expected.Max(Math.Abs) > 0.1);
    }

    [Fact]
    public void Padding_and_company_do_not_change_a_sequence()
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        ExampleBatch batch = TinyPretraining.Batch(0);
        int shortest = Array.IndexOf(batch.Lengths, batch.Lengths.Min()),
            length = batch.Lengths[shortest];
        Assert.True(length < batch.SequenceLength);
        float[] together = Logits(batch.InputIds, batch.Lengths, batch.SecondSegmentStarts);
        int start = shortest * batch.SequenceLength;
        float[] alone = Logits(batch.InputIds[start..(start + length)], [length], [batch.SecondSegmentStarts[shortest]]);
        Assert.All(alone.Zip(together.Skip(start)), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));

        int[] other = [.. batch.InputIds];
        other.AsSpan(start + length, batch.SequenceLength - length).Fill(77);
        Assert.Equal(together[start..(start + length)], Logits(other, batch.Lengths, batch.SecondSegmentStarts)[start..(start + length)]);
    }

    [Fact]
    public void Dropout_zeroes_its_share_and_keeps_the_mean()
    {
        using var scope = NewDisposeScope();
        Tensor ones = torch.ones(1_000, 103);
        float[] first = new DropoutStream(1, 2, 3).Apply(ones, 0.1).data<float>().ToArray();
        Assert.Equal(first, new DropoutStream(1, 2, 3).Apply(ones, 0.1).data<float>().ToArray());
        Assert.NotEqual(first, new DropoutStream(1, 3, 3).Apply(ones, 0.1).data<float>().ToArray());
        Assert.InRange(first.Count(value => value == 0) / (double)first.Length, 0.096, 0.104);
        Assert.All(first.Where(value => value != 0), value => Assert.Equal(1 / 0.9f, value));
        Assert.InRange(first.Zip(first.Skip(1)).Count(pair => pair.First == 0 && pair.Second == 0) / (double)first.Length, 0.008, 0.012);
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

    private float[] Logits(int[] ids, int[] lengths, int[] seconds)
    {
        EncoderInput input = EncoderInput.Create(ids, lengths, seconds, CPU);
        return model.DetectionHead.Forward(model.Main.Forward(input, dropout: null)).data<float>().ToArray();
    }

    private float[] Gradients(LossScale scale)
    {
        model.Parameters.Gradients.zero_();
        MaskedBatch batch = Masked();
        new ElectraObjective(model).Accumulate(batch, new TokenReplacement(batch, 1, 0, 1, false), scale, dropout: null);
        return model.Parameters.Gradients.data<float>().ToArray();
    }
}
