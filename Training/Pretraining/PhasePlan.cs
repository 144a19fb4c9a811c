using ElectraPipeline.Training.Optimization;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>What of a training's settings holds at which step.</summary>
internal sealed class PhasePlan
{
    private readonly Phase[] phases;

    /// <summary>The phases of the options, or the one that all steps are.</summary>
    /// <exception cref="PermanentException">A phase's value is out of range, or their steps are not the training's.</exception>
    public PhasePlan(PretrainOptions options)
    {
        IReadOnlyList<PretrainPhase> given = options.Phases is { Count: > 0 } several
            ? several
            : [new PretrainPhase { Steps = options.Steps }];
        long steps = given.Sum(phase => (long)phase.Steps);
        if (steps != options.Steps)
        {
            throw new PermanentException($"pretrain: the phases have {steps} steps together; Steps is {options.Steps}: make them equal");
        }

        var whole = new LearningRateSchedule(options.LearningRate, options.WarmupSteps, options.Steps);
        phases = new Phase[given.Count];
        long step = 0,
            example = 0;
        for (int i = 0; i < phases.Length; i++)
        {
            PretrainPhase phase = given[i];
            Require(phase.Steps, 1, i, nameof(phase.Steps));
            Require(phase.SequenceLength, 5, i, nameof(phase.SequenceLength));
            Require(phase.BatchSize, 1, i, nameof(phase.BatchSize));
            Require(phase.MicroBatchSize, 1, i, nameof(phase.MicroBatchSize));
            Require(phase.WarmupSteps, 0, i, nameof(phase.WarmupSteps));
            int batch = phase.BatchSize ?? options.BatchSize;
            LearningRateSchedule? restarted = phase.LearningRate is { } rate
                ? new LearningRateSchedule(rate, phase.WarmupSteps ?? options.WarmupSteps, phase.Steps)
                : null;
            phases[i] = new Phase(
                step,
                example,
                phase.SequenceLength,
                batch,
                phase.MicroBatchSize ?? options.MicroBatchSize,
                restarted ?? whole,
                restarted is null ? 0 : step
            );
            step += phase.Steps;
            example += (long)phase.Steps * batch;
        }
    }

    /// <summary>Longest sequence that a phase asks for; null: none asks.</summary>
    public int? LongestSequence => phases.Max(phase => phase.SequenceLength);

    /// <summary>The phase of a step; steps after the last belong to the last.</summary>
    public Phase At(long step) => Array.FindLast(phases, phase => phase.FirstStep <= step) ?? phases[0];

    /// <summary>The learning rate of a step.</summary>
    public double LearningRate(long step)
    {
        Phase phase = At(step);
        return phase.Schedule.At(step - phase.ScheduleStart);
    }

    /// <summary>Examples drawn before a step.</summary>
    public long ExamplesBefore(long step)
    {
        Phase phase = At(step);
        return phase.FirstExample + ((step - phase.FirstStep) * phase.BatchSize);
    }

    private static void Require(int? value, int least, int index, string name)
    {
        if (value < least)
        {
            throw new PermanentException($"pretrain: {name} of phase {index + 1} is {value}; it must be at least {least}");
        }
    }

    /// <summary>One phase, resolved.</summary>
    /// <param name="FirstStep">Its first step.</param>
    /// <param name="FirstExample">Examples drawn before it.</param>
    /// <param name="SequenceLength">Tokens a sequence; null: as the examples are.</param>
    /// <param name="BatchSize">Sequences a step.</param>
    /// <param name="MicroBatchSize">Sequences computed at once.</param>
    /// <param name="Schedule">Its learning rates.</param>
    /// <param name="ScheduleStart">The step that the schedule counts from.</param>
    internal sealed record Phase(
        long FirstStep,
        long FirstExample,
        int? SequenceLength,
        int BatchSize,
        int MicroBatchSize,
        LearningRateSchedule Schedule,
        long ScheduleStart
    );
}
