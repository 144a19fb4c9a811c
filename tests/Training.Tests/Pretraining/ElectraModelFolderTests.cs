using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Pretraining;
using ElectraPipeline.Training.Tokenization;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Pretraining;

public sealed class ElectraModelFolderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("electra-model-").FullName;

    public ElectraModelFolderTests() => set_num_threads(1);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(16)] // the generator's width: only the discriminator projects
    [InlineData(32)] // the discriminator's width: only the generator projects
    [InlineData(24)] // both project
    public void A_model_comes_back_bit_for_bit(int embeddingSize)
    {
        ElectraConfig config = TinyPretraining.Config() with { EmbeddingSize = embeddingSize };
        using var model = new ElectraPretrainingModel(config, CPU);
        model.Initialize(5);
        var description = new ElectraDescription
        {
            Model = config,
            Pretrain = TinyPretraining.Options(),
            Step = 20,
            Seed = 5,
        };
        ElectraModelFolder.Write(folder, model, description, MadeUpVocabulary(), new TokenizerOptions());

        using ElectraPretrainingModel read = ElectraModelReader.Read(folder, CPU);
        Assert.Equal(config, read.Config);
        Assert.Equal(description, ElectraModelFolder.ReadDescription(folder));
        Assert.Equal(model.Parameters.Values.data<float>().ToArray(), read.Parameters.Values.data<float>().ToArray());
        Assert.True(File.Exists(Path.Combine(folder, "discriminator", "tokenizer.json")));
    }

    [Theory]
    [InlineData("electra", "disentangled", "discriminator generator")]
    [InlineData("electra", "untied", "discriminator generator")]
    [InlineData("mlm", "tied", "encoder")]
    [InlineData("replace-mlm", "untied", "encoder generator")]
    [InlineData("all-tokens-mlm", "tied", "discriminator encoder generator")]
    [InlineData("electric", "tied", "discriminator")]
    [InlineData("electric", "disentangled", "discriminator")]
    public void Every_kind_of_model_is_measured_the_same_after_export(string objective, string sharing, string folders)
    {
        PretrainOptions options = TinyPretraining.Options() with { Objective = objective };
        ElectraConfig config = TinyPretraining.Config(parts: PretrainingObjectives.PartsOf(objective)) with
        {
            EmbeddingSharing = sharing,
            GeneratorEmbeddingSize = sharing == "untied" ? 12 : null,
        };
        using Pretrainer trainer = TinyPretraining.Trainer(options, config);
        TinyPretraining.Train(trainer, 5);
        var description = new ElectraDescription
        {
            Model = config,
            Pretrain = options,
            Step = 5,
            Seed = 7,
        };
        ElectraModelFolder.Write(folder, trainer.Model, description, MadeUpVocabulary(), new TokenizerOptions());
        Assert.Equal(folders.Split(' '), Directory.GetDirectories(folder).Select(Path.GetFileName).Order());

        using ElectraPretrainingModel read = ElectraModelReader.Read(folder, CPU);
        Assert.Equal(Measure(trainer.Model), Measure(read));
        string generator = Path.Combine(folder, objective == "electric" ? "two-tower-generator.safetensors" : "generator");
        if (Path.Exists(generator))
        {
            Directory.Move(generator, generator + ".away");
            Assert.Contains(
                "generator",
                Assert.Throws<PermanentException>(() => ElectraModelReader.Read(folder, CPU)).Message,
                StringComparison.Ordinal
            );
        }

        EvaluateResult Measure(ElectraPretrainingModel model)
        {
            var evaluator = new HeldOutEvaluator(
                [TinyPretraining.Batch(1_000)],
                options.Masking(TinyPretraining.Ids, TinyPretraining.Vocabulary),
                TinyPretraining.Ids,
                options,
                seed: 3
            );
            return evaluator.Run(
                [PretrainingObjectives.Create(objective, model, options.Settings(TinyPretraining.Ids))],
                trainer.Threads,
                model.Config.Parts
            );
        }
    }

    [Fact]
    public void Models_that_do_not_share_embeddings_are_refused()
    {
        Write(TinyPretraining.Config());
        string other = Path.Combine(folder, "other");
        Directory.Move(Path.Combine(folder, "discriminator"), other);
        Write(TinyPretraining.Config() with { EmbeddingSize = 24 });
        Directory.Delete(Path.Combine(folder, "discriminator"), recursive: true);
        Directory.Move(other, Path.Combine(folder, "discriminator"));
        PermanentException refused = Assert.Throws<PermanentException>(() => ElectraModelReader.Read(folder, CPU));
        Assert.Contains("electra.embeddings", refused.Message, StringComparison.Ordinal);

        void Write(ElectraConfig config)
        {
            using var model = new ElectraPretrainingModel(config, CPU);
            var description = new ElectraDescription
            {
                Model = config,
                Pretrain = TinyPretraining.Options(),
                Step = 0,
                Seed = 5,
            };
            ElectraModelFolder.Write(folder, model, description, MadeUpVocabulary(), new TokenizerOptions());
        }
    }

    private static Vocabulary MadeUpVocabulary() =>
        new([.. SpecialTokens.All, .. Enumerable.Range(0, TinyPretraining.Vocabulary - SpecialTokens.All.Count).Select(i => $"w{i}")]);
}
