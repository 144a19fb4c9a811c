namespace ElectraPipeline.Training.Objective;

/// <summary>A batch with tokens masked out: the generator's input and what it has to guess.</summary>
internal sealed record MaskedBatch
{
    /// <summary>L, tokens a sequence, padding included.</summary>
    public required int Length { get; init; }

    /// <summary>Token ids of the text, [B * L].</summary>
    public required int[] OriginalIds { get; init; }

    /// <summary>The same with most masked positions replaced by [MASK], or by random tokens where that is asked for, [B * L].</summary>
    public required int[] MaskedIds { get; init; }

    /// <summary>Real tokens of each sequence, [B].</summary>
    public required int[] Lengths { get; init; }

    /// <summary>Where each second segment starts, [B]; a sequence's length where it has none.</summary>
    public required int[] SecondSegments { get; init; }

    /// <summary>
    /// The masked positions as indices into [B * L], [K], grouped by sequence; one may appear twice if drawn with replacement.
    /// </summary>
    public required int[] Positions { get; init; }

    /// <summary>Which example of the optimizer step each sequence is, [B]: what its random draws depend on.</summary>
    public required int[] Examples { get; init; }

    /// <summary>B, sequences.</summary>
    public int Count => Lengths.Length;

    /// <summary>Real tokens.</summary>
    public int Tokens => Lengths.Sum();

    /// <summary>Pairs of real tokens of one sequence, each with itself included.</summary>
    public long AttendedPairs => Lengths.Sum(length => (long)length * length);

    /// <summary>The original token of each masked position, [K].</summary>
    public int[] Labels() => Array.ConvertAll(Positions, position => OriginalIds[position]);

    /// <summary>Indices into [B * L] of all real tokens, in order.</summary>
    public int[] RealPositions()
    {
        var positions = new int[Tokens];
        int count = 0;
        for (int b = 0; b < Count; b++)
        {
            for (int i = 0; i < Lengths[b]; i++)
            {
                positions[count++] = (b * Length) + i;
            }
        }

        return positions;
    }

    /// <summary>1 at these positions, else 0, [B * L].</summary>
    public float[] OneAt(int[] positions)
    {
        var ones = new float[Count * Length];
        foreach (int position in positions)
        {
            ones[position] = 1;
        }

        return ones;
    }

    /// <summary>
    /// Sequences <paramref name="first"/> and the following, cut to their longest (rounded up to 8): padding that no sequence needs is not
    /// computed.
    /// </summary>
    public MaskedBatch Slice(int first, int count)
    {
        int[] lengths = Lengths[first..(first + count)];
        int length = Math.Min(Length, (lengths.Max() + 7) / 8 * 8);
        int start = first * Length,
            end = (first + count) * Length;
        return new MaskedBatch
        {
            Length = length,
            OriginalIds = Cut(OriginalIds),
            MaskedIds = Cut(MaskedIds),
            Lengths = lengths,
            SecondSegments = SecondSegments[first..(first + count)],
            Positions = [.. Positions.Where(p => p >= start && p < end).Select(p => ((p - start) / Length * length) + (p % Length))],
            Examples = Examples[first..(first + count)],
        };

        int[] Cut(int[] ids)
        {
            var cut = new int[count * length];
            for (int b = 0; b < count; b++)
            {
                ids.AsSpan((first + b) * Length, length).CopyTo(cut.AsSpan(b * length));
            }

            return cut;
        }
    }
}
