using System.Text.Json;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Optimization;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tests.Pretraining;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Model;

/// <summary>Writes a folder of reference numbers of any sizes, in the layout of the one that other software made.</summary>
/// <remarks>
/// Forward passes and losses are <see cref="PlainElectra"/>'s; gradients and parameters after the first step are this program's own, which
/// its tests hold against slopes of those losses.
/// </remarks>
internal sealed class WrittenGoldenFolder(string folder, ElectraConfig config)
{
    private const int Steps = 3;
    private const int Sequences = 3;
    private const int Length = 13;
    private const int Labels = 3;
    private static readonly SpecialIds Ids = TinyPretraining.Ids;
    private readonly List<(string Name, Tensor Tensor)> recorded = [];
    private readonly List<object> log = [];
    private CounterRandom random = new(77, 1);

    /// <summary>Writes everything.</summary>
    public void Write()
    {
        using var scope = NewDisposeScope();
        using ElectraPretrainingModel model = Model();
        HuggingFaceFolder.WriteDiscriminator(
            Path.Combine(folder, "discriminator"),
            Config(config.Discriminator),
            model.State(model.DetectionNames())
        );
        HuggingFaceFolder.WriteGenerator(Path.Combine(folder, "generator"), Config(config.Generator), model.State(model.GeneratorNames()));
        WriteForward(model);
        WriteTraining(model);
    }

    private void WriteForward(ElectraPretrainingModel model)
    {
        ExampleBatch batch = Batch(100);
        PlainElectra discriminator = Discriminator(model),
            generator = Generator(model);
        List<double[][]>[] states = Each(batch, discriminator.Encode);
        List<(string Name, Tensor Tensor)> tensors =
        [
            .. Inputs("", batch),
            .. states[0].Select((_, layer) => ($"discriminator.hidden_states.{layer}", Padded(states, sequence => sequence[layer]))),
            (
                "discriminator.logits",
                Padded(states, sequence => Array.ConvertAll(sequence[^1], state => new[] { discriminator.Detect(state) })).squeeze(-1)
            ),
            ("generator.logits", Padded(Each(batch, generator.Encode), sequence => Array.ConvertAll(sequence[^1], generator.Predict))),
        ];
        (PlainElectra classifier, states) = WriteHead("sequence_classification", ElectraArchitecture.SequenceClassification, batch);
        tensors.Add(
            (
                "sequence_classification.logits",
                Padded(
                        states,
                        sequence =>
                            [
                                classifier.Dense(
                                    "classifier.out_proj",
                                    PlainElectra.Gelu(classifier.Dense("classifier.dense", sequence[^1][0]))
                                ),
                            ]
                    )
                    .select(1, 0)
            )
        );
        (PlainElectra tagger, states) = WriteHead("token_classification", ElectraArchitecture.TokenClassification, batch);
        tensors.Add(
            (
                "token_classification.logits",
                Padded(states, sequence => Array.ConvertAll(sequence[^1], state => tagger.Dense("classifier", state)))
            )
        );
        (PlainElectra answerer, states) = WriteHead("question_answering", ElectraArchitecture.QuestionAnswering, batch);
        Tensor ends = Padded(states, sequence => Array.ConvertAll(sequence[^1], state => answerer.Dense("qa_outputs", state)));
        tensors.AddRange([("question_answering.start_logits", ends.select(-1, 0)), ("question_answering.end_logits", ends.select(-1, 1))]);
        SafeTensors.Write(Path.Combine(folder, "forward.safetensors"), [.. tensors.Select(pair => (pair.Name, pair.Tensor.contiguous()))]);
    }

    /// <summary>A head over an encoder of its own, as every fine-tuned model has.</summary>
    private (PlainElectra Model, List<double[][]>[] States) WriteHead(string name, string architecture, ExampleBatch batch)
    {
        using ElectraPretrainingModel encoder = Model();
        HuggingFaceConfig written = Config(config.Discriminator).WithLabels([.. Enumerable.Range(0, Labels).Select(i => $"class{i}")]);
        Dictionary<string, Tensor> own = encoder.State(encoder.DetectionNames()).ToDictionary(pair => pair.Name, pair => pair.Value);
        (string Name, Tensor Value)[] tensors =
        [
            .. ElectraArchitecture
                .Tensors(written, architecture)
                .Select(item => (item.Name, own.GetValueOrDefault(item.Name) ?? Random(item.Shape))),
        ];
        string path = Directory.CreateDirectory(Path.Combine(folder, "heads", name)).FullName;
        SafeTensors.Write(Path.Combine(path, WeightFiles.SafeTensorsName), tensors);
        HuggingFaceConfig complete = written with { Architectures = [architecture] };
        File.WriteAllBytes(
            Path.Combine(path, HuggingFaceFolder.ConfigName),
            JsonSerializer.SerializeToUtf8Bytes(complete, HuggingFaceConfig.Json)
        );
        var model = new PlainElectra(tensors, config.Discriminator);
        return (model, Each(batch, model.Encode));
    }

    private void WriteTraining(ElectraPretrainingModel model)
    {
        using var optimizer = new AdamW([model.Parameters], ParameterGroup.For(model.Parameters.Layout, 0.01), new AdamOptions());
        var schedule = new LearningRateSchedule(2e-3, 2, 10);
        for (int step = 0; step < Steps; step++)
        {
            Train(model, optimizer, schedule, step);
        }

        recorded.AddRange(model.Parameters.Layout.Slots.Select(slot => ("final." + slot.Name, model.Parameters.Value(slot.Name).clone())));
        SafeTensors.Write(Path.Combine(folder, "training.safetensors"), recorded);
        object hyperparameters = new
        {
            learning_rate = 2e-3,
            weight_decay = 0.01,
            beta1 = 0.9,
            beta2 = 0.999,
            eps = 1e-6,
            clip_norm = 1.0,
            warmup_steps = 2,
            total_steps = 10,
            gen_weight = 1.0,
            disc_weight = 50.0,
            steps = Steps,
        };
        File.WriteAllBytes(Path.Combine(folder, "training.json"), JsonSerializer.SerializeToUtf8Bytes(new { hyperparameters, log }));
    }

    private void Train(ElectraPretrainingModel model, AdamW optimizer, LearningRateSchedule schedule, int step)
    {
        ExampleBatch batch = Batch(step);
        MaskedBatch masked = new DynamicMasking(Ids, 0.3, new MaskShares(0.85), withReplacement: false).Mask(
            batch.InputIds,
            batch.Lengths,
            batch.SecondSegmentStarts,
            5,
            step
        );
        int[] counts = [.. Enumerable.Range(0, Sequences).Select(b => masked.Positions.Count(position => position / Length == b))];
        int most = counts.Max() + 1; // at least one unused place in every sequence
        Tensor noise = rand([Sequences, most, config.VocabularySize], generator: new Generator((ulong)step + 1));
        long[] positions = new long[Sequences * most];
        float[] weights = new float[Sequences * most];
        var rows = new List<int>();
        foreach (int position in masked.Positions)
        {
            int row = ((position / Length) * most) + rows.Count(taken => taken / most == position / Length);
            rows.Add(row);
            (positions[row], weights[row]) = (position % Length, 1);
        }

        int[] samples = Sample(
            model,
            masked,
            noise.view(Sequences * most, -1).index_select(0, tensor(rows.Select(row => (long)row).ToArray()))
        );
        CorruptedBatch corrupted = TokenReplacement.Corrupt(new DeviceBatch(masked, CPU), Upload.Longs(samples, CPU));
        long[] sampled = new long[Sequences * most],
            labels = new long[Sequences * most];
        for (int i = 0; i < rows.Count; i++)
        {
            (sampled[rows[i]], labels[rows[i]]) = (samples[i], masked.Labels()[i]);
        }

        string prefix = $"step{step}.";
        recorded.AddRange(Inputs(prefix, batch));
        recorded.AddRange([
            (prefix + "masked_input_ids", Longs(masked.MaskedIds, Sequences, Length)),
            (prefix + "masked_positions", tensor(positions).view(Sequences, most)),
            (prefix + "masked_weights", tensor(weights).view(Sequences, most)),
            (prefix + "masked_labels", tensor(labels).view(Sequences, most)),
            (prefix + "uniform_noise", noise),
            (prefix + "sampled_ids", tensor(sampled).view(Sequences, most)),
            (prefix + "corrupted_ids", corrupted.Ids.view(Sequences, Length)),
            (prefix + "is_replaced", corrupted.Replaced.to(ScalarType.Int64).view(Sequences, Length)),
        ]);
        Update(model, optimizer, schedule.At(step), step, masked, samples);
    }

    private void Update(ElectraPretrainingModel model, AdamW optimizer, double rate, int step, MaskedBatch masked, int[] samples)
    {
        LossScale scale = LossScale.For(masked.Positions.Length, masked.Tokens, 1, 50);
        (double Generator, double Discriminator) losses = PlainLosses.Of(Generator(model), Discriminator(model), masked, samples);
        new ElectraObjective(model).Accumulate(masked, new Given(samples), scale, dropout: null);
        if (step == 0)
        {
            recorded.AddRange(
                model.Parameters.Layout.Slots.Select(slot => ("grad0." + slot.Name, model.Parameters.Gradient(slot.Name).clone()))
            );
        }

        double norm = optimizer.Reduce(AdamW.InTurn);
        optimizer.Step(rate, norm, AdamW.InTurn);
        log.Add(
            new
            {
                step,
                learning_rate = rate,
                generator_loss = losses.Generator,
                discriminator_loss = losses.Discriminator,
                loss = losses.Generator + (50 * losses.Discriminator),
                grad_norm = norm,
            }
        );
    }

    private static int[] Sample(ElectraPretrainingModel model, MaskedBatch masked, Tensor noise)
    {
        using IDisposable noGrad = no_grad();
        var input = EncoderInput.Create(masked.MaskedIds, masked.Lengths, masked.SecondSegments, CPU);
        Tensor hidden = model
            .Generator.Forward(input, dropout: null)
            .index_select(0, tensor(Array.ConvertAll(masked.Positions, p => (long)p)));
        Tensor gumbel = -(-(noise + 1e-9).log() + 1e-9).log();
        return Array.ConvertAll(
            (model.GeneratorHead.Decode(model.GeneratorHead.Transform(hidden)) + gumbel).argmax(1).data<long>().ToArray(),
            id => (int)id
        );
    }

    /// <summary>Sequences of other lengths and tokens each step.</summary>
    public ExampleBatch Batch(long step)
    {
        int[] ids = new int[Sequences * Length],
            lengths = [Length, 7, 9],
            seconds = [6, 7, 4];
        for (int b = 0; b < Sequences; b++)
        {
            var draws = new CounterRandom(3, (ulong)step, (ulong)b);
            for (int i = 0; i < lengths[b]; i++)
            {
                ids[(b * Length) + i] =
                    i == 0 ? Ids.Classifier
                    : i == lengths[b] - 1 ? Ids.Separator
                    : 5 + draws.Next(config.VocabularySize - 5);
            }
        }

        return new ExampleBatch(ids, lengths, seconds, Sequences, Length);
    }

    private static IEnumerable<(string Name, Tensor Tensor)> Inputs(string prefix, ExampleBatch batch)
    {
        int[] mask = new int[batch.InputIds.Length],
            types = new int[batch.InputIds.Length];
        for (int b = 0; b < batch.BatchSize; b++)
        {
            mask.AsSpan(b * Length, batch.Lengths[b]).Fill(1);
            types.AsSpan(b * Length, Length)[batch.SecondSegmentStarts[b]..batch.Lengths[b]].Fill(1);
        }

        return
        [
            (prefix + "input_ids", Longs(batch.InputIds, batch.BatchSize, Length)),
            (prefix + "attention_mask", Longs(mask, batch.BatchSize, Length)),
            (prefix + "token_type_ids", Longs(types, batch.BatchSize, Length)),
        ];
    }

    /// <summary>Weights far from their first values, so that a part left out shows.</summary>
    public ElectraPretrainingModel Model()
    {
        var model = new ElectraPretrainingModel(config, CPU);
        foreach (ParameterSlot slot in model.Parameters.Layout.Slots)
        {
            model.Set(slot.Name, Random([.. slot.Shape]) + (slot.Initial == InitialValue.One ? 1 : 0));
        }

        return model;
    }

    private Tensor Random(long[] shape)
    {
        float[] values = new float[shape.Aggregate(1L, (product, size) => product * size)];
        foreach (ref float value in values.AsSpan())
        {
            value = (float)(random.NextNormal() * 0.1);
        }

        return tensor(values, shape);
    }

    /// <summary>The discriminator as it is now.</summary>
    public PlainElectra Discriminator(ElectraPretrainingModel model) => new(model.State(model.DetectionNames()), config.Discriminator);

    /// <summary>The generator as it is now.</summary>
    public PlainElectra Generator(ElectraPretrainingModel model) => new(model.State(model.GeneratorNames()), config.Generator);

    private static T[] Each<T>(ExampleBatch batch, Func<int[], int[], T> run) =>
        [
            .. Enumerable
                .Range(0, batch.BatchSize)
                .Select(b =>
                    run(
                        batch.InputIds[(b * batch.SequenceLength)..][..batch.Lengths[b]],
                        [.. Enumerable.Range(0, batch.Lengths[b]).Select(i => i < batch.SecondSegmentStarts[b] ? 0 : 1)]
                    )
                ),
        ];

    /// <summary>Rows of each sequence as [B, L, N]; NaN where nothing may look.</summary>
    private static Tensor Padded(List<double[][]>[] sequences, Func<List<double[][]>, double[][]> rowsOf)
    {
        double[][][] rows = Array.ConvertAll(sequences, sequence => rowsOf(sequence));
        int width = rows[0][0].Length;
        float[] values = [.. Enumerable.Repeat(float.NaN, rows.Length * Length * width)];
        for (int b = 0; b < rows.Length; b++)
        {
            float[] own = [.. rows[b].SelectMany(row => row).Select(value => (float)value)];
            own.CopyTo(values, b * Length * width);
        }

        return tensor(values, [rows.Length, Length, width]);
    }

    private static Tensor Longs(int[] values, int rows, int columns) =>
        tensor(Array.ConvertAll(values, value => (long)value)).view(rows, columns);

    private HuggingFaceConfig Config(EncoderConfig encoder) =>
        new()
        {
            VocabSize = config.VocabularySize,
            EmbeddingSize = config.EmbeddingSize,
            HiddenSize = encoder.HiddenSize,
            NumHiddenLayers = encoder.Layers,
            NumAttentionHeads = encoder.AttentionHeads,
            IntermediateSize = encoder.IntermediateSize,
            MaxPositionEmbeddings = config.MaxPositions,
        };

    /// <summary>Gives these tokens.</summary>
    internal sealed class Given(int[] samples) : ITokenSampler
    {
        public Tensor Sample(Tensor logits, Tensor probabilities, int[] positions) =>
            Upload.Longs(Array.ConvertAll(positions, position => samples[position]), CPU);
    }
}
