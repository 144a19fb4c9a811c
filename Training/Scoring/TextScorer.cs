using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Pretraining;
using ElectraPipeline.Training.Tokenization;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Scoring;

/// <summary>
/// Pseudo-log-likelihoods of texts: by Electric's energies in one pass, or by a masked language model that guesses each token in turn
/// (Salazar et al. 2020), which takes a pass a token. Belongs to one thread.
/// </summary>
public sealed class TextScorer : IDisposable
{
    private const int SequencesAtOnce = 32;
    private readonly ElectraPretrainingModel model;
    private readonly WordPieceTokenizer tokenizer;
    private readonly bool byEnergy;

    private TextScorer(ElectraPretrainingModel model, WordPieceTokenizer tokenizer, bool byEnergy)
    {
        this.model = model;
        this.tokenizer = tokenizer;
        this.byEnergy = byEnergy;
    }

    private Vocabulary Vocabulary => tokenizer.Vocabulary;

    /// <summary>Opens a "model" artifact, or a Hugging Face folder of a masked language model.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="device">"auto", "cpu" or "cuda".</param>
    /// <exception cref="PermanentException">It is no such folder, or none of its networks gives likelihoods.</exception>
    public static TextScorer Open(string folder, string device)
    {
        (Vocabulary vocabulary, TokenizerOptions options) = HuggingFaceFolder.ReadTokenizer(ElectraModelFolder.MainFolderOf(folder));
        ElectraPretrainingModel model = ElectraModelReader.Read(folder, TorchDevice.Resolve(device));
        ModelParts parts = model.Config.Parts;
        bool isElectric = parts.Generator == ModelParts.TwoTowerGenerator;
        if (isElectric || parts.Predicts || parts.Generator == ModelParts.MaskedGenerator)
        {
            return new TextScorer(model, new WordPieceTokenizer(vocabulary, options), isElectric);
        }

        model.Dispose();
        throw new PermanentException(
            $"{folder}: a discriminator tells replaced tokens, not likelihoods; give the whole model with its generator, "
                + "a masked language model, or a model trained with objective \"electric\""
        );
    }

    /// <summary>Scores texts, in order.</summary>
    public IReadOnlyList<TextScore> Score(IReadOnlyList<string> texts)
    {
        using IDisposable noGrad = no_grad();
        return [.. texts.Chunk(SequencesAtOnce).SelectMany(chunk => byEnergy ? ByEnergy(chunk) : chunk.Select(ByGuessing))];
    }

    /// <inheritdoc/>
    public void Dispose() => model.Dispose();

    private TextScore[] ByEnergy(string[] texts)
    {
        using var scope = NewDisposeScope();
        EncodedText[] encoded = [.. texts.Select(Encode)];
        int length = encoded.Max(text => text.Ids.Length);
        var ids = new int[texts.Length * length];
        for (int i = 0; i < texts.Length; i++)
        {
            encoded[i].Ids.CopyTo(ids, i * length);
        }

        int[] lengths = [.. encoded.Select(text => text.Ids.Length)];
        Tensor hidden = model.Main.Forward(Input(ids, lengths), dropout: null);
        float[] energies = model.DetectionHead.Forward(hidden).cpu().data<float>().ToArray();
        return
        [
            .. texts.Select(
                (text, i) =>
                    new TextScore(
                        text,
                        -energies.AsSpan((i * length) + 1, lengths[i] - 2).ToArray().Sum(energy => (double)energy),
                        lengths[i] - 2,
                        encoded[i].Truncated
                    )
            ),
        ];
    }

    private TextScore ByGuessing(string text)
    {
        (int[] ids, _, bool truncated) = Encode(text);
        double sum = 0;
        foreach (int[] positions in Enumerable.Range(1, ids.Length - 2).Chunk(SequencesAtOnce))
        {
            sum += LogLikelihood(ids, positions);
        }

        return new TextScore(text, sum, ids.Length - 2, truncated);
    }

    /// <summary>Sum of the log-probabilities of the tokens at some positions, each masked in a copy of its own.</summary>
    private double LogLikelihood(int[] ids, int[] positions)
    {
        using var scope = NewDisposeScope();
        int[] copies = [.. positions.SelectMany(_ => ids)];
        long[] places = new long[positions.Length],
            tokens = new long[positions.Length];
        for (int i = 0; i < positions.Length; i++)
        {
            places[i] = (i * ids.Length) + positions[i];
            tokens[i] = ids[positions[i]];
            copies[places[i]] = Vocabulary.MaskId;
        }

        EncoderInput input = Input(copies, [.. positions.Select(_ => ids.Length)]);
        bool isMain = model.Config.Parts.Predicts;
        LanguageModelHead head = isMain ? model.LanguageModelHead : model.GeneratorHead;
        Tensor hidden = (isMain ? model.Main : model.Generator).Forward(input, dropout: null);
        Tensor logits = head.Decode(head.Transform(hidden.index_select(0, tensor(places, device: hidden.device))));
        Tensor chosen = logits.gather(1, tensor(tokens, device: hidden.device).unsqueeze(1)).squeeze(1);
        return (chosen - logits.logsumexp(1)).sum(ScalarType.Float64).cpu().item<double>();
    }

    private EncoderInput Input(int[] ids, int[] lengths) => EncoderInput.Create(ids, lengths, lengths, model.Parameters.Values.device);

    private EncodedText Encode(string text) => new TextEncoder(tokenizer, model.Config.MaxPositions).Encode(text, pair: null);
}
