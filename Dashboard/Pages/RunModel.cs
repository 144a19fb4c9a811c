using ElectraPipeline.Dashboard.Charts;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;

namespace ElectraPipeline.Dashboard.Pages;

/// <summary>Everything the page of a run shows, read at about one moment.</summary>
public sealed record RunModel
{
    private HashSet<long>? retryable;

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
    public bool MayRetry(StageRow stage) => (retryable ??= Retryable()).Contains(stage.Id);

    // At once for all: a run of thousands of stages has as many edges, and may have been cancelled as a whole.
    private HashSet<long> Retryable()
    {
        HashSet<long> stopped =
        [
            .. Run.Stages.Where(stage => stage.State is StageState.Failed or StageState.Cancelled).Select(stage => stage.Id),
        ];
        HashSet<long> later = [.. Run.Dependencies.Where(edge => stopped.Contains(edge.Parent)).Select(edge => edge.Child)];
        stopped.ExceptWith(later);
        return stopped;
    }
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
