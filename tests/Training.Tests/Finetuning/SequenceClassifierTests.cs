using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Finetuning;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Verification;
using Xunit;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace ElectraPipeline.Training.Tests.Finetuning;

public sealed class SequenceClassifierTests
{
    private const double Tolerance = 1e-5;

    public SequenceClassifierTests() => set_num_threads(1);

    [Fact]
    public void Logits_of_a_sequence_classifier_are_hugging_faces()
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using HuggingFaceModel model = HuggingFaceFolder.ReadClassifier(Head("sequence_classification"));
        using SequenceClassifier classifier = new(ConfigOf(model.Config), model.Config.Labels.Count, 0, CPU);
        classifier.Load(model);
        using SafeTensorsFile golden = SafeTensorsFile.Open(SharedData.Require("golden/electra-tiny/forward.safetensors"));
        Tensor logits = classifier.Forward(Input(golden), dropout: null);
        Assert.Equal([4L, 3L], logits.shape);
        Assert.InRange(GoldenVerification.MaxDifference(logits, golden.Read("sequence_classification.logits")), 0, Tolerance);
    }

    [Fact]
    public void Logits_of_tokens_and_answers_are_hugging_faces()
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using SafeTensorsFile golden = SafeTensorsFile.Open(SharedData.Require("golden/electra-tiny/forward.safetensors"));
        Tensor real = golden.Read("attention_mask").view(-1).@bool();

        Tensor tokens = HeadOverTokens("token_classification", ElectraArchitecture.TokenClassification, "classifier", golden);
        Assert.InRange(GoldenVerification.MaxDifference(tokens[real], golden.Read("token_classification.logits").view(-1, 5)[real]), 0, Tolerance);

        Tensor answers = HeadOverTokens("question_answering", ElectraArchitecture.QuestionAnswering, "qa_outputs", golden);
        Tensor expected = stack([golden.Read("question_answering.start_logits").view(-1), golden.Read("question_answering.end_logits").view(-1)], 1);
        Assert.InRange(GoldenVerification.MaxDifference(answers[real], expected[real]), 0, Tolerance);
    }

    [Fact]
    public void Dropout_in_the_head_changes_training_alone()
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using HuggingFaceModel model = HuggingFaceFolder.ReadClassifier(Head("sequence_classification"));
        using SequenceClassifier classifier = new(ConfigOf(model.Config), 3, 0.5, CPU);
        classifier.Load(model);
        using SafeTensorsFile golden = SafeTensorsFile.Open(SharedData.Require("golden/electra-tiny/forward.safetensors"));
        EncoderInput input = Input(golden);
        float[] evaluated = classifier.Forward(input, null).data<float>().ToArray();
        float[] first = classifier.Forward(input, new DropoutStream(1, 2, 3)).data<float>().ToArray();
        Assert.Equal(evaluated, classifier.Forward(input, null).data<float>().ToArray());
        Assert.NotEqual(evaluated, first);
        Assert.Equal(first, classifier.Forward(input, new DropoutStream(1, 2, 3)).data<float>().ToArray());
        Assert.NotEqual(first, classifier.Forward(input, new DropoutStream(1, 3, 3)).data<float>().ToArray());
    }

    private static string Head(string name) => SharedData.Require("golden/electra-tiny/heads/" + name);

    private static EncoderInput Input(SafeTensorsFile golden) =>
        GoldenVerification.ReadInput(golden, "input_ids", golden.Read("attention_mask"));

    /// <summary>A dense head over every hidden state, on an encoder read from the same folder.</summary>
    private static Tensor HeadOverTokens(string name, string architecture, string head, SafeTensorsFile golden)
    {
        using HuggingFaceModel model = HuggingFaceFolder.Read(Head(name), architecture);
        ElectraConfig config = ConfigOf(model.Config);
        ParameterLayout.Builder layout = new();
        Embeddings.Declare(layout, "electra.embeddings", config);
        ElectraEncoder.Declare(layout, "electra", config.Discriminator, config);
        using ParameterStore store = new(layout.Build(), CPU);
        foreach (ParameterSlot slot in store.Layout.Slots)
        {
            store.Value(slot.Name).copy_(model.Tensors[slot.Name]);
        }

        ElectraEncoder encoder = new(store, "electra", new Embeddings(store, "electra.embeddings", config), config.Discriminator, config);
        return linear(encoder.Forward(Input(golden), dropout: null), model.Tensors[head + ".weight"], model.Tensors[head + ".bias"]);
    }

    private static ElectraConfig ConfigOf(HuggingFaceConfig config)
    {
        EncoderConfig encoder = new()
        {
            Layers = config.NumHiddenLayers,
            HiddenSize = config.HiddenSize,
            IntermediateSize = config.IntermediateSize,
            AttentionHeads = config.NumAttentionHeads,
        };
        return new ElectraConfig
        {
            VocabularySize = config.VocabSize,
            EmbeddingSize = config.EmbeddingSize,
            MaxPositions = config.MaxPositionEmbeddings,
            Discriminator = encoder,
            Generator = encoder,
            HiddenDropout = 0,
            AttentionDropout = 0,
            LayerNormEpsilon = config.LayerNormEps,
        };
    }
}
