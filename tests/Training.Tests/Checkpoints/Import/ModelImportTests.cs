using System.Text.Json.Nodes;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Checkpoints.Import;
using ElectraPipeline.Training.Tests.Checkpoints.PyTorch;
using ElectraPipeline.Training.Tests.Checkpoints.TensorFlow;
using ElectraPipeline.Training.Tokenization;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Checkpoints.Import;

/// <summary>The golden models, put into every format that can be imported, come out as they were.</summary>
public sealed class ModelImportTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("electra-import").FullName;
    private readonly string golden = SharedData.Require("golden/electra-tiny");

    public ModelImportTests() => set_num_threads(1);

    private string SourceFolder => Path.Combine(root, "source");

    private string OutputFolder => Path.Combine(root, "output");

    private string Prefix => Path.Combine(SourceFolder, "model.ckpt-10");

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_checkpoint_of_the_official_code_is_both_models(bool pack)
    {
        using var scope = NewDisposeScope();
        WriteCheckpoint(GoldenVariables(), pack);
        using ModelImport import = ModelImport.Open(Request(Prefix));
        Assert.Empty(import.Faults);
        Assert.Equal("TensorFlow", import.Format);
        IReadOnlyList<ImportedFile> files = import.Write(OutputFolder);
        Assert.Equal(4, files.Count); // index, two data files, vocab.txt
        AssertIsGolden("discriminator", "generator");
        Assert.Equal(
            ["Adam's first moment", "Adam's second moment", "the step of the training"],
            import.Tensors.Where(tensor => tensor.Model is null).Select(tensor => tensor.Note).Distinct().Order()
        );
        Assert.Contains(
            import.Tensors,
            tensor => tensor is { Name: "electra.embeddings_project.weight", Note: "transposed", Model: "generator" }
        );
        Assert.Equal(2, import.Tensors.Count(tensor => tensor.Source.Name == "electra/embeddings/word_embeddings"));
        string lineage = File.ReadAllText(Path.Combine(OutputFolder, ModelImport.LineageName));
        Assert.All(files, file => Assert.Contains(file.Sha256, lineage));
    }

    [Fact]
    public void A_checkpoint_with_a_hole_is_refused_by_names()
    {
        using var scope = NewDisposeScope();
        List<(string Name, Tensor Tensor)> variables = GoldenVariables();
        variables.RemoveAll(item => item.Name == "generator/encoder/layer_0/output/dense/kernel");
        int bias = variables.FindIndex(item => item.Name == "discriminator_predictions/dense_1/bias");
        variables[bias] = (variables[bias].Name, zeros(3));
        WriteCheckpoint(variables, pack: false);
        using ModelImport import = ModelImport.Open(Request(Prefix));
        Assert.Equal(
            [
                $"{Prefix}: tensor \"discriminator_predictions/dense_1/bias\" is [3], "
                    + "\"discriminator_predictions.dense_prediction.bias\" of the "
                    + "discriminator is [1]",
                $"{Prefix}: there is no tensor \"generator/encoder/layer_0/output/dense/kernel\", which is "
                    + "\"electra.encoder.layer.0.output.dense.weight\" of the generator",
            ],
            import.Faults
        );
        Assert.Contains("and 1 more faults", Assert.Throws<PermanentException>(() => import.Write(OutputFolder)).Message);
        Assert.False(Directory.Exists(OutputFolder));
    }

    [Fact]
    public void Heads_that_do_not_divide_the_width_are_refused()
    {
        using var scope = NewDisposeScope();
        WriteCheckpoint(GoldenVariables(), pack: false);
        Assert.Contains(
            "heads of 7 do not divide",
            Assert.Throws<PermanentException>(() => ModelImport.Open(Request(Prefix) with { HeadSize = 7 })).Message
        );
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("pytorch_model.bin")]
    [InlineData("older pytorch_model.bin")]
    [InlineData("model.safetensors.index.json")]
    [InlineData("pytorch_model.bin.index.json")]
    public void A_folder_is_the_same_model_in_every_form_of_its_weights(string form)
    {
        using var scope = NewDisposeScope();
        WriteFolder("discriminator", form);
        WriteFolder("generator", form);
        using ModelImport import = ModelImport.Open(Request(SourceFolder));
        import.Write(OutputFolder);
        AssertIsGolden("discriminator", "generator");
        Assert.All(import.Tensors, tensor => Assert.NotNull(tensor.Name));
    }

    [Fact]
    public void A_discriminator_alone_is_imported_with_its_tokenizer_settings()
    {
        using var scope = NewDisposeScope();
        WriteFolder("discriminator", "model.safetensors");
        string folder = Path.Combine(SourceFolder, "discriminator");
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), """{"do_lower_case": false, "strip_accents": true}""");
        using ModelImport import = ModelImport.Open(Request(folder));
        import.Write(OutputFolder);
        AssertIsGolden("discriminator");
        Assert.False(Directory.Exists(Path.Combine(OutputFolder, "generator")));
        (_, TokenizerOptions options) = HuggingFaceFolder.ReadTokenizer(Path.Combine(OutputFolder, "discriminator"));
        Assert.Equal((false, true), (options.LowerCase, options.StripAccents));
        Assert.Contains("are both a discriminator", ModelImport.Open(Request(folder) with { Generator = folder }).Faults[0]);
    }

    [Fact]
    public void A_language_model_alone_is_what_fine_tuning_starts_from()
    {
        using var scope = NewDisposeScope();
        WriteFolder("generator", "model.safetensors");
        using ModelImport import = ModelImport.Open(Request(Path.Combine(SourceFolder, "generator")));
        import.Write(OutputFolder);
        Assert.Equal("encoder", Assert.Single(import.Models).Model);
        using HuggingFaceModel encoder = HuggingFaceFolder.ReadEncoder(Path.Combine(OutputFolder, "encoder"));
        Assert.Contains("electra.encoder.layer.0.output.dense.weight", encoder.Tensors.Keys);
    }

    [Fact]
    public void An_index_that_lies_about_its_files_is_refused_by_file_and_tensor()
    {
        using var scope = NewDisposeScope();
        WriteFolder("discriminator", "model.safetensors.index.json");
        string folder = Path.Combine(SourceFolder, "discriminator"),
            index = Path.Combine(folder, "model.safetensors.index.json");
        string whole = File.ReadAllText(index);
        const string Tensor = "electra.embeddings.word_embeddings.weight";
        Write(Tensor, "part-1.safetensors");
        Assert.Contains(
            $"part-1.safetensors: there is no tensor \"{Tensor}\", which model.safetensors.index.json says is here",
            Fault(folder)
        );
        Write(Tensor, "../part-0.safetensors");
        Assert.Contains("which is no file of this folder", Fault(folder));
        Write(Tensor, "absent.safetensors");
        Assert.Contains("absent.safetensors: there is no such file", Fault(folder));
        File.WriteAllText(index, "{}");
        Assert.Contains("not an index of weights", Fault(folder));

        void Write(string tensor, string file)
        {
            JsonObject edited = JsonNode.Parse(whole)!.AsObject();
            edited["weight_map"]![tensor] = file;
            File.WriteAllText(index, edited.ToJsonString());
        }
    }

    [Theory]
    [InlineData("half_plus_two", 5)]
    [InlineData("half_plus_two_mkl", 9)]
    [InlineData("half_plus_two_tf2", 4)]
    [InlineData("tf_text_regression", 1)]
    public void A_checkpoint_of_another_model_is_listed_and_refused(string name, int variables)
    {
        using ModelImport import = ModelImport.Open(Request(SharedData.Require($"data/models/tf-checkpoint/{name}")));
        Assert.Equal("TensorFlow", import.Format);
        Assert.Equal(variables, import.Tensors.Count);
        Assert.All(import.Tensors, tensor => Assert.Null(tensor.Name));
        string fault = Assert.Single(import.Faults);
        Assert.Contains($"neither a discriminator nor a generator of the official code among {variables} variables", fault);
        Assert.Equal(fault, Assert.Throws<PermanentException>(() => import.Write(OutputFolder)).Message);
        Assert.False(Directory.Exists(OutputFolder));
    }

    [Fact]
    public void Wrong_sources_are_refused_with_what_would_do()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("there is neither a config.json", Fault(root));
        WriteFolder("discriminator", "model.safetensors");
        string folder = Path.Combine(SourceFolder, "discriminator"),
            vocabulary = Path.Combine(folder, "vocab.txt");
        File.WriteAllLines(vocabulary, File.ReadAllLines(vocabulary)[..^1]);
        using (ModelImport import = ModelImport.Open(Request(folder)))
        {
            Assert.Contains(
                "its vocabulary 996; give the vocab.txt",
                Assert.Throws<PermanentException>(() => import.Write(OutputFolder)).Message
            );
        }

        File.Delete(vocabulary);
        using (ModelImport import = ModelImport.Open(Request(folder)))
        {
            Assert.Contains("put the model's vocab.txt there", Assert.Throws<PermanentException>(() => import.Write(OutputFolder)).Message);
        }

        File.Delete(Path.Combine(folder, "model.safetensors"));
        Assert.Contains("there are no weights", Fault(folder));
    }

    private static ImportRequest Request(string source) => new() { Source = source, HeadSize = 16 };

    private static string Fault(string source) =>
        Assert.Throws<PermanentException>(() => ModelImport.Open(Request(source)).Dispose()).Message;

    private static void WriteVocabulary(string folder, int count) =>
        File.WriteAllLines(
            Path.Combine(Directory.CreateDirectory(folder).FullName, "vocab.txt"),
            ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", .. Enumerable.Range(5, count - 5).Select(i => $"word{i}")]
        );

    private void WriteCheckpoint(List<(string Name, Tensor Tensor)> variables, bool pack)
    {
        WriteVocabulary(SourceFolder, HuggingFaceConfig.Read(Path.Combine(golden, "discriminator", "config.json")).VocabSize);
        new TensorBundleWriter
        {
            Shards = 2,
            BlockBytes = 600,
            Pack = pack,
        }.Write(Prefix, variables);
    }

    private void WriteFolder(string model, string form)
    {
        string source = Path.Combine(golden, model),
            target = Path.Combine(SourceFolder, model);
        WriteVocabulary(target, HuggingFaceConfig.Read(Path.Combine(source, "config.json")).VocabSize);
        File.Copy(Path.Combine(source, "config.json"), Path.Combine(target, "config.json"));
        (string Name, Tensor Tensor)[] tensors =
        [
            .. SafeTensors.Read(Path.Combine(source, "model.safetensors")).Select(item => (item.Key, item.Value)),
        ];
        string name = form.Split(' ')[^1];
        if (!name.EndsWith(".json", StringComparison.Ordinal))
        {
            WriteWeights(Path.Combine(target, name), tensors, zip: form == name);
            return;
        }

        JsonObject map = [];
        foreach ((int i, (string Name, Tensor Tensor)[] part) in tensors.Chunk(7).Index())
        {
            string file = $"part-{i}{Path.GetExtension(name.Replace(".index.json", "", StringComparison.Ordinal))}";
            WriteWeights(Path.Combine(target, file), part, zip: true);
            Array.ForEach(part, item => map[item.Name] = file);
        }

        File.WriteAllText(Path.Combine(target, name), new JsonObject { ["weight_map"] = map }.ToJsonString());
    }

    private static void WriteWeights(string path, (string Name, Tensor Tensor)[] tensors, bool zip)
    {
        if (path.EndsWith(".bin", StringComparison.Ordinal))
        {
            TorchSaveWriter.Write(path, tensors, zip);
        }
        else
        {
            SafeTensors.Write(path, tensors);
        }
    }

    /// <summary>The golden models under the names that the official code gives its variables, with the optimizer's among them.</summary>
    private List<(string Name, Tensor Tensor)> GoldenVariables()
    {
        List<(string Name, Tensor Tensor)> variables = [("global_step", tensor(10L))];
        foreach (string model in new[] { "discriminator", "generator" })
        {
            foreach ((string name, Tensor value) in SafeTensors.Read(Path.Combine(golden, model, "model.safetensors")))
            {
                string variable = VariableOf(name, model);
                if (variables.Any(item => item.Name == variable))
                {
                    continue; // the embeddings, which both share
                }

                Tensor stored = variable.EndsWith("/kernel", StringComparison.Ordinal) ? value.t().contiguous() : value;
                variables.AddRange([
                    (variable, stored),
                    (variable + "/adam_m", zeros_like(stored)),
                    (variable + "/adam_v", ones_like(stored)),
                ]);
            }
        }

        return variables;
    }

    private static string VariableOf(string name, string model)
    {
        (string From, string To)[] endings =
        [
            ("LayerNorm.weight", "LayerNorm.gamma"),
            ("LayerNorm.bias", "LayerNorm.beta"),
            ("embeddings.weight", "embeddings"),
            ("generator_lm_head.bias", "generator_predictions.output_bias"),
            (".weight", ".kernel"),
        ];
        (string from, string to) = endings.FirstOrDefault(ending => name.EndsWith(ending.From, StringComparison.Ordinal));
        string path = (from is null ? name : name[..^from.Length] + to)
            .Replace("dense_prediction.", "dense_1.", StringComparison.Ordinal)
            .Replace("encoder.layer.", "encoder.layer_", StringComparison.Ordinal)
            .Replace('.', '/');
        bool isOwn =
            path.StartsWith("electra/encoder", StringComparison.Ordinal)
            || path.StartsWith("electra/embeddings_project", StringComparison.Ordinal);
        return model == "generator" && isOwn ? "generator" + path["electra".Length..] : path;
    }

    private void AssertIsGolden(params string[] models)
    {
        foreach (string model in models)
        {
            string architecture = model == "generator" ? ElectraArchitecture.MaskedLanguageModel : ElectraArchitecture.PreTraining;
            using HuggingFaceModel expected = HuggingFaceFolder.Read(Path.Combine(golden, model), architecture);
            using HuggingFaceModel actual = HuggingFaceFolder.Read(Path.Combine(OutputFolder, model), architecture);
            Assert.Equal(expected.Tensors.Keys, actual.Tensors.Keys);
            Assert.All(expected.Tensors, item => Assert.True(item.Value.bytes.SequenceEqual(actual.Tensors[item.Key].bytes), item.Key));
            Assert.Equal(expected.Config.NumAttentionHeads, actual.Config.NumAttentionHeads);
            Assert.Equal(expected.Config.IntermediateSize, actual.Config.IntermediateSize);
        }
    }
}
