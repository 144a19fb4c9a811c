using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Finetuning;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Verification;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Finetuning;

public sealed class TaskModelTests
{
    private const double Tolerance = 1e-5;

    public TaskModelTests() => set_num_threads(1);

    [Fact]
    public void Logits_of_a_sequence_classifier_are_hugging_faces()
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using HuggingFaceModel model = HuggingFaceFolder.Read(Head("sequence_classification"), ElectraArchitecture.SequenceClassification);
        using TaskModel classifier = new(TaskModel.ConfigOf(model.Config), new SequenceHead(model.Config.Labels.Count), 0, CPU);
        classifier.Load(model);
        using SafeTensorsFile golden = SafeTensorsFile.Open(SharedData.Require("golden/electra-tiny/forward.safetensors"));
        Tensor logits = classifier.Forward(Input(golden), dropout: null);
        Assert.Equal([4L, 3L], logits.shape);
        Assert.InRange(MaxDifference(logits, golden.Read("sequence_classification.logits")), 0, Tolerance);
    }

    [Fact]
    public void Logits_of_tokens_and_answers_are_hugging_faces()
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using SafeTensorsFile golden = SafeTensorsFile.Open(SharedData.Require("golden/electra-tiny/forward.safetensors"));
        Tensor real = golden.Read("attention_mask").view(-1).@bool();

        using HuggingFaceModel model = HuggingFaceFolder.Read(Head("token_classification"), ElectraArchitecture.TokenClassification);
        using TaskModel tagger = new(TaskModel.ConfigOf(model.Config), new TokenHead(5), 0, CPU);
        tagger.Load(model);
        Tensor tokens = tagger.Forward(Input(golden), dropout: null).view(-1, 5);
        Assert.InRange(MaxDifference(tokens[real], golden.Read("token_classification.logits").view(-1, 5)[real]), 0, Tolerance);

        using HuggingFaceModel spans = HuggingFaceFolder.Read(Head("question_answering"), ElectraArchitecture.QuestionAnswering);
        using TaskModel answering = new(TaskModel.ConfigOf(spans.Config), new SpanHead(), 0, CPU);
        answering.Load(spans);
        Tensor answers = answering.Forward(Input(golden), dropout: null).view(-1, 2);
        Tensor expected = stack(
            [golden.Read("question_answering.start_logits").view(-1), golden.Read("question_answering.end_logits").view(-1)],
            1
        );
        Assert.InRange(MaxDifference(answers[real], expected[real]), 0, Tolerance);
    }

    [Theory]
    [InlineData("sequence_classification", ElectraArchitecture.SequenceClassification)]
    [InlineData("token_classification", ElectraArchitecture.TokenClassification)]
    [InlineData("question_answering", ElectraArchitecture.QuestionAnswering)]
    public void A_model_written_and_read_back_gives_the_same_bits(string name, string architecture)
    {
        using TemporaryFolder folder = new();
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using SafeTensorsFile golden = SafeTensorsFile.Open(SharedData.Require("golden/electra-tiny/forward.safetensors"));
        using HuggingFaceModel model = HuggingFaceFolder.Read(Head(name), architecture);
        TaskHead head = architecture switch
        {
            ElectraArchitecture.TokenClassification => new TokenHead(5),
            ElectraArchitecture.QuestionAnswering => new SpanHead(),
            _ => new SequenceHead(3),
        };
        using TaskModel first = new(TaskModel.ConfigOf(model.Config), head, 0, CPU),
            second = new(TaskModel.ConfigOf(model.Config), head, 0, CPU);
        first.Load(model);
        HuggingFaceFolder.Write(folder.Path, model.Config, architecture, first.State());
        using HuggingFaceModel written = HuggingFaceFolder.Read(folder.Path, architecture);
        second.Load(written);
        Assert.True(first.Forward(Input(golden), null).bytes.SequenceEqual(second.Forward(Input(golden), null).bytes));
    }

    /// <summary>Hugging Face's classes know no head of one layer; its two layers must answer the same.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(32)]
    public void The_official_head_is_exported_as_hugging_faces_that_answers_the_same(int outputs)
    {
        using TemporaryFolder folder = new();
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using SafeTensorsFile golden = SafeTensorsFile.Open(SharedData.Require("golden/electra-tiny/forward.safetensors"));
        using HuggingFaceModel source = HuggingFaceFolder.Read(Head("sequence_classification"), ElectraArchitecture.SequenceClassification);
        ElectraConfig config = TaskModel.ConfigOf(source.Config);
        Assert.Equal(64, config.Discriminator.HiddenSize);
        using TaskModel official = new(config, new OfficialSequenceHead(outputs), 0, CPU);
        official.Initialize(7);
        official.Load(source);
        official.Parameters.Value("classifier.linear.bias").copy_(arange(outputs));
        Tensor expected = official.Forward(Input(golden), dropout: null);
        Assert.True(expected.std().item<float>() > 0.3 || outputs == 1);

        HuggingFaceConfig labelled = source.Config.WithLabels([.. Enumerable.Range(0, outputs).Select(label => $"l{label}")]);
        HuggingFaceFolder.Write(folder.Path, labelled, ElectraArchitecture.SequenceClassification, official.State());
        using HuggingFaceModel written = HuggingFaceFolder.Read(folder.Path, ElectraArchitecture.SequenceClassification);
        Assert.Equal(source.Tensors.Keys.Order(StringComparer.Ordinal), written.Tensors.Keys.Order(StringComparer.Ordinal));
        using TaskModel classifier = new(config, new SequenceHead(outputs), 0, CPU);
        classifier.Load(written);
        Assert.InRange(MaxDifference(classifier.Forward(Input(golden), dropout: null), expected), 0, Tolerance);
    }

    [Theory]
    [InlineData("float16", 2e-2)]
    [InlineData("bfloat16", 2e-1)]
    public void A_model_exported_in_half_width_answers_nearly_the_same(string elementType, double tolerance)
    {
        using TemporaryFolder folder = new();
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using SafeTensorsFile golden = SafeTensorsFile.Open(SharedData.Require("golden/electra-tiny/forward.safetensors"));
        string source = Path.GetDirectoryName(Head("sequence_classification"))!;
        ModelExport.Copy(source, folder["half"], elementType, CancellationToken.None);
        ModelExport.Copy(source, folder["whole"], "float32", CancellationToken.None);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(source, "sequence_classification/model.safetensors")),
            File.ReadAllBytes(folder["whole/sequence_classification/model.safetensors"])
        );

        using HuggingFaceModel model = HuggingFaceFolder.Read(
            folder["half/sequence_classification"],
            ElectraArchitecture.SequenceClassification
        );
        Assert.Equal(elementType, model.Config.ElementType);
        Assert.All(model.Tensors.Values, tensor => Assert.Equal(2, tensor.element_size()));
        using TaskModel classifier = new(TaskModel.ConfigOf(model.Config), new SequenceHead(3), 0, CPU);
        classifier.Load(model);
        double difference = MaxDifference(classifier.Forward(Input(golden), null), golden.Read("sequence_classification.logits"));
        Assert.InRange(difference, 1e-6, tolerance);
    }

    [Fact]
    public void A_weight_beyond_the_range_of_half_width_is_named()
    {
        using TemporaryFolder folder = new();
        using var scope = NewDisposeScope();
        string source = Directory.CreateDirectory(folder["source"]).FullName;
        File.Copy(Path.Combine(Head("sequence_classification"), "config.json"), Path.Combine(source, "config.json"));
        SafeTensors.Write(Path.Combine(source, "model.safetensors"), [("large", tensor(new[] { 1f, 1e6f }))]);
        string message = Assert
            .Throws<PermanentException>(() => ModelExport.Copy(source, folder["half"], "float16", CancellationToken.None))
            .Message;
        Assert.Contains("tensor \"large\" has values up to 1E+06, more than float16 holds", message);
        ModelExport.Copy(source, folder["half"], "bfloat16", CancellationToken.None);
    }

    [Fact]
    public void Dropout_in_the_head_changes_training_alone()
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using HuggingFaceModel model = HuggingFaceFolder.Read(Head("sequence_classification"), ElectraArchitecture.SequenceClassification);
        using TaskModel classifier = new(TaskModel.ConfigOf(model.Config), new SequenceHead(3), 0.5, CPU);
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

    private static double MaxDifference(Tensor value, Tensor expected) => (value - expected).abs().max().item<float>();
}
