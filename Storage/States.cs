namespace ElectraPipeline.Storage;

/// <summary>State of a run; the names are PostgreSQL's <c>run_state</c> in lower case.</summary>
public enum RunState
{
    /// <summary>Some stage is running or may still run.</summary>
    Running,

    /// <summary>Every stage succeeded or was reused.</summary>
    Succeeded,

    /// <summary>A stage failed for good and nothing else can run.</summary>
    Failed,

    /// <summary>A user cancelled it.</summary>
    Cancelled,
}

/// <summary>State of a stage of a run; the names are PostgreSQL's <c>stage_state</c> in lower case.</summary>
public enum StageState
{
    /// <summary>Waits for parents.</summary>
    Blocked,

    /// <summary>May be claimed by a worker.</summary>
    Ready,

    /// <summary>Leased by a worker.</summary>
    Running,

    /// <summary>Its output is published.</summary>
    Succeeded,

    /// <summary>The sealed output of an earlier stage run with the same fingerprint was taken.</summary>
    Reused,

    /// <summary>Failed for good; a retry makes it ready again.</summary>
    Failed,

    /// <summary>Cancelled with its run.</summary>
    Cancelled,
}
