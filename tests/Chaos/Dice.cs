using ElectraPipeline.Training;

namespace ElectraPipeline.Chaos;

/// <summary>All chance of a campaign: a function of its seed.</summary>
public sealed class Dice(int seed)
{
    private CounterRandom random = new((ulong)seed, 1);

    /// <summary>Uniform in [0, bound).</summary>
    public int Next(int bound) => random.Next(bound);

    /// <summary>Uniform between two times.</summary>
    public TimeSpan Between(TimeSpan least, TimeSpan most) => least + ((most - least) * random.NextDouble());

    /// <summary>One of a list; null if it is empty.</summary>
    public T? OneOf<T>(IReadOnlyList<T> choices)
        where T : class => choices.Count == 0 ? null : choices[Next(choices.Count)];
}
