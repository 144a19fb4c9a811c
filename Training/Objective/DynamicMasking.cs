namespace ElectraPipeline.Training.Objective;

/// <summary>Ids of the tokens that are never masked, read from the vocabulary by name.</summary>
internal readonly record struct SpecialIds(int Classifier, int Separator, int Mask)
{
    /// <summary>Whether a token is one of them.</summary>
    public bool Contains(int id) => id == Classifier || id == Separator || id == Mask;
}

/// <summary>What becomes of the chosen positions.</summary>
/// <param name="Mask">Share that becomes [MASK].</param>
/// <param name="Random">Share that becomes a token drawn uniformly from the vocabulary (BERT); the rest stays as it is.</param>
/// <param name="VocabularySize">Tokens to draw from.</param>
internal readonly record struct MaskShares(double Mask, double Random = 0, int VocabularySize = 0);

/// <summary>Chooses masked positions anew each time a sequence is seen (official pretrain_helpers.py).</summary>
/// <remarks>
/// Candidates are all real tokens but [CLS], [SEP] and [MASK]. Of n real tokens k = max(1, min(N, round(n p))) are chosen, where
/// N = floor((p + 0.005) L) and L is the configured sequence length. The draws depend on (seed, step, example) alone.
/// </remarks>
/// <param name="ids">Tokens that are never candidates.</param>
/// <param name="probability">p, share of tokens chosen, in (0, 1).</param>
/// <param name="shares">What becomes of the chosen; all are guessed and resampled.</param>
/// <param name="withReplacement">Draw positions with replacement, as the official code does.</param>
internal sealed class DynamicMasking(SpecialIds ids, double probability, MaskShares shares, bool withReplacement)
{
    /// <summary>
    /// How many tokens to choose, of <paramref name="tokens"/> real ones in a sequence of at most <paramref name="maxLength"/>.
    /// </summary>
    public int CountFor(int tokens, int maxLength)
    {
        int most = (int)((probability + 0.005) * maxLength);
        return Math.Max(1, Math.Min(most, (int)MathF.Round(tokens * (float)probability, MidpointRounding.ToEven)));
    }

    /// <summary>Masks the sequences of one optimizer step.</summary>
    /// <param name="inputIds">Token ids, [B * L].</param>
    /// <param name="lengths">Real tokens of each sequence, [B].</param>
    /// <param name="secondSegments">Where each second segment starts, [B].</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="step">The step, from 0.</param>
    public MaskedBatch Mask(int[] inputIds, int[] lengths, int[] secondSegments, ulong seed, long step)
    {
        int count = lengths.Length,
            length = inputIds.Length / count;
        int[] masked = [.. inputIds];
        List<int> positions = [];
        ulong streamSeed = RandomPurpose.SeedFor(seed, RandomPurpose.Masking);
        int[] candidates = new int[length];
        for (int b = 0; b < count; b++)
        {
            var random = new CounterRandom(streamSeed, (ulong)step, (ulong)b);
            int available = Candidates(inputIds.AsSpan(b * length, lengths[b]), candidates);
            int wanted = CountFor(lengths[b], length);
            Span<int> chosen = Choose(candidates.AsSpan(0, available), wanted, ref random);
            foreach (int position in chosen)
            {
                positions.Add(b * length + position);
                masked[(b * length) + position] = Hide(masked[(b * length) + position], ref random);
            }
        }

        return new MaskedBatch
        {
            Length = length,
            OriginalIds = inputIds,
            MaskedIds = masked,
            Lengths = lengths,
            SecondSegments = secondSegments,
            Positions = [.. positions],
            Examples = [.. Enumerable.Range(0, count)],
        };
    }

    private int Hide(int id, ref CounterRandom random)
    {
        double draw = random.NextDouble();
        return draw < shares.Mask ? ids.Mask
            : draw < shares.Mask + shares.Random ? random.Next(shares.VocabularySize)
            : id;
    }

    private int Candidates(ReadOnlySpan<int> tokens, int[] candidates)
    {
        int count = 0;
        for (int i = 0; i < tokens.Length; i++)
        {
            if (!ids.Contains(tokens[i]))
            {
                candidates[count++] = i;
            }
        }

        return count;
    }

    private Span<int> Choose(Span<int> candidates, int wanted, ref CounterRandom random)
    {
        if (candidates.IsEmpty)
        {
            return [];
        }

        if (withReplacement)
        {
            var drawn = new int[wanted];
            for (int i = 0; i < wanted; i++)
            {
                drawn[i] = candidates[random.Next(candidates.Length)];
            }

            return drawn;
        }

        // The first steps of a Fisher-Yates shuffle: a uniform choice without replacement.
        int count = Math.Min(wanted, candidates.Length);
        for (int i = 0; i < count; i++)
        {
            int other = i + random.Next(candidates.Length - i);
            (candidates[i], candidates[other]) = (candidates[other], candidates[i]);
        }

        return candidates[..count];
    }
}
