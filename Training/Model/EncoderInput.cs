using static TorchSharp.torch;

namespace ElectraPipeline.Training.Model;

/// <summary>A padded batch on the model's device. Its tensors belong to the dispose scope it was made in.</summary>
internal sealed class EncoderInput
{
    /// <summary>Added to attention scores of padding: e to the power of it is 0 in float32, as in the official code.</summary>
    private const float Excluded = -10_000f;

    private EncoderInput(Tensor ids, Tensor types, Tensor? attentionBias, int batchSize, int length)
    {
        Ids = ids;
        Types = types;
        AttentionBias = attentionBias;
        BatchSize = batchSize;
        Length = length;
    }

    /// <summary>Token ids, [B * L].</summary>
    public Tensor Ids { get; }

    /// <summary>Segment of each token, 0 or 1, [B * L].</summary>
    public Tensor Types { get; }

    /// <summary>What is added to attention scores, [B, 1, 1, L] or [B, 1, L, L]; null where all attend to all.</summary>
    public Tensor? AttentionBias { get; }

    /// <summary>B, sequences.</summary>
    public int BatchSize { get; }

    /// <summary>L, tokens a sequence, padding included.</summary>
    public int Length { get; }

    /// <summary>Makes one from token ids [B * L], real lengths [B] and the index where each second segment starts [B].</summary>
    public static EncoderInput Create(ReadOnlySpan<int> ids, ReadOnlySpan<int> lengths, ReadOnlySpan<int> secondSegments, Device device)
    {
        int batchSize = lengths.Length,
            length = ids.Length / batchSize;
        var types = new int[ids.Length];
        float[]? bias = null;
        for (int b = 0; b < batchSize; b++)
        {
            types.AsSpan(b * length, length)[Math.Min(secondSegments[b], lengths[b])..lengths[b]].Fill(1);
            if (lengths[b] < length)
            {
                bias ??= new float[ids.Length];
                bias.AsSpan(b * length, length)[lengths[b]..].Fill(Excluded);
            }
        }

        return new EncoderInput(
            Upload.Longs(ids, device),
            Upload.Longs(types, device),
            bias is null ? null : Upload.Floats(bias, device).view(batchSize, 1, 1, length),
            batchSize,
            length
        );
    }

    /// <summary>The same batch with other tokens, int64 [B * L], for the discriminator.</summary>
    public EncoderInput WithIds(Tensor ids) => new(ids, Types, AttentionBias, BatchSize, Length);

    /// <summary>The same batch where a token attends to itself and the tokens before it, or, from the right, to those after it.</summary>
    public EncoderInput ReadingFrom(bool left)
    {
        using var scope = NewDisposeScope();
        Tensor all = KeptScalars.Filled([Length, Length], Excluded, Ids.device);
        Tensor bias = (left ? all.triu(1) : all.tril(-1)).view(1, 1, Length, Length);
        bias = AttentionBias is null ? bias.expand(BatchSize, 1, Length, Length) : AttentionBias.Plus(bias);
        return new EncoderInput(Ids, Types, bias.contiguous().MoveToOuterDisposeScope(), BatchSize, Length);
    }
}
