using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;

namespace ElectraPipeline.Dashboard.Pages;

/// <summary>Stages of the same name: one, or the parts of a fanned-out stage.</summary>
public sealed record StageGroup(string Name, IReadOnlyList<StageRow> Stages)
{
    /// <summary>Parts that a page shows: it is made anew every few seconds, and nobody reads ten thousand.</summary>
    public const int MostShown = 100;

    // The speed of an hour ago says little; that of the last part alone neither.
    private const int PartsForSpeed = 50;

    // The state that matters most to the reader stands for the group.
    private static readonly StageState[] _byWeight =
    [
        StageState.Failed,
        StageState.Running,
        StageState.Ready,
        StageState.Cancelled,
        StageState.Blocked,
        StageState.Succeeded,
        StageState.Reused,
    ];

    /// <summary>The state shown for all.</summary>
    public StageState State => _byWeight.First(state => Stages.Any(stage => stage.State == state));

    /// <summary>All parts if they are few, else those whose state matters most.</summary>
    public IReadOnlyList<StageRow> Shown =>
        Stages.Count <= MostShown ? Stages : [.. Stages.OrderBy(stage => Array.IndexOf(_byWeight, stage.State)).Take(MostShown)];

    /// <summary>Share of the parts that are done, in [0, 1].</summary>
    public double Share => (double)Done / Stages.Count;

    /// <summary>"3 succeeded, 1 running".</summary>
    public string InWords =>
        string.Join(
            ", ",
            Stages
                .GroupBy(stage => stage.State)
                .OrderBy(group => group.Key)
                .Select(group => $"{Display.Count(group.Count())} {StageWords.Lower(group.Key)}")
        );

    private int Done => Stages.Count(stage => stage.State is StageState.Succeeded or StageState.Reused);

    /// <summary>"191 of 10,000 parts (2 %), about 4 min 20 s left".</summary>
    public string ProgressInWords(DateTimeOffset now) =>
        StageProgress.Words(Display.Count(Done), Display.Count(Stages.Count), "parts", Share, Remaining(now));

    // Unknown while nobody is at work.
    private TimeSpan? Remaining(DateTimeOffset now)
    {
        if (Stages.All(stage => stage.State != StageState.Running))
        {
            return null;
        }

        DateTimeOffset[] last =
        [
            .. Stages
                .Where(stage => stage is { State: StageState.Succeeded, FinishedAt: not null })
                .Select(stage => stage.FinishedAt!.Value)
                .OrderDescending()
                .Take(PartsForSpeed),
        ];
        return last.Length < 2 || now <= last[^1] ? null : (now - last[^1]) / (last.Length - 1) * (Stages.Count - Done);
    }
}
