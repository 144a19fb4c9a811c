using ElectraPipeline.Dashboard.Charts;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;

namespace ElectraPipeline.Dashboard.Pages;

/// <summary>Everything the page of a run shows, read at about one moment.</summary>
public sealed record RunModel
{
    /// <summary>The run with its stages.</summary>
    public required RunDetail Run { get; init; }

    /// <summary>What runs and waits over all runs.</summary>
    public required Overview Overview { get; init; }

    /// <summary>Progress of the running stages by stage run.</summary>
    public required IReadOnlyDictionary<long, StageProgress> Progress { get; init; }

    /// <summary>The newest checkpoint of stages that would go on from one.</summary>
    public required IReadOnlyDictionary<long, CheckpointRow> Checkpoints { get; init; }

    /// <summary>Training curves; null if the run has none.</summary>
    public required RunCurves? Curves { get; init; }

    /// <summary>The stage whose log is shown: the failed, else the running, else the last begun.</summary>
    public required StageRow? LogStage { get; init; }

    /// <summary>The end of its log.</summary>
    public required IReadOnlyList<LogLine> Log { get; init; }

    /// <summary>Who did what, newest first.</summary>
    public required IReadOnlyList<EventRow> Events { get; init; }

    /// <summary>Versions that the run made.</summary>
    public required IReadOnlyList<RunProduct> Products { get; init; }

    /// <summary>What the visitor's last click did.</summary>
    public string? Notice { get; init; }

    /// <summary>The moment of reading.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>Stages in order, those of the same name together.</summary>
    public IEnumerable<StageGroup> Groups =>
        Run.Stages.GroupBy(stage => stage.Stage).Select(group => new StageGroup(group.Key, [.. group]));

    /// <summary>Progress of a running stage.</summary>
    public StageProgress ProgressOf(StageRow stage) =>
        Progress.TryGetValue(stage.Id, out StageProgress? progress) ? progress : StageProgress.Of(stage, null, Now);

    /// <summary>The checkpoint that a stage that is not done would go on from.</summary>
    public CheckpointRow? CheckpointOf(StageRow stage) => Checkpoints.GetValueOrDefault(stage.Id);

    /// <summary>A failed or cancelled stage may run again, unless one that it needs has to go first.</summary>
    public bool MayRetry(StageRow stage) => HasStopped(stage) && !Run.Dependencies.Any(edge =>
        edge.Child == stage.Id && Run.Stages.FirstOrDefault(parent => parent.Id == edge.Parent) is { } parent && HasStopped(parent));

    private static bool HasStopped(StageRow stage) => stage.State is StageState.Failed or StageState.Cancelled;
}

/// <summary>Stages of the same name: one, or the parts of a fanned-out stage.</summary>
public sealed record StageGroup(string Name, IReadOnlyList<StageRow> Stages)
{
    // The state that matters most to the reader stands for the group.
    private static readonly StageState[] _byWeight =
    [
        StageState.Failed, StageState.Running, StageState.Ready, StageState.Cancelled, StageState.Blocked, StageState.Succeeded,
        StageState.Reused,
    ];

    /// <summary>The state shown for all.</summary>
    public StageState State => _byWeight.First(state => Stages.Any(stage => stage.State == state));

    /// <summary>"3 succeeded, 1 running".</summary>
    public string InWords => string.Join(
        ", ", Stages.GroupBy(stage => stage.State).OrderBy(group => group.Key).Select(group => $"{group.Count()} {StageWords.Lower(group.Key)}"));
}

/// <summary>A version that a run made.</summary>
/// <param name="Kind">"Dataset" or "Model".</param>
/// <param name="Name">"wiki 3".</param>
/// <param name="Url">Its page.</param>
public sealed record RunProduct(string Kind, string Name, string Url);

/// <summary>The curves of a run.</summary>
/// <param name="FromRun">The run that was trained: another one if its output was reused.</param>
/// <param name="Charts">The charts in order.</param>
public sealed record RunCurves(long FromRun, IReadOnlyList<ChartData> Charts);
