namespace ElectraPipeline.Training.Optimization;

/// <summary>Linear warm-up and linear decay, both at once (official optimization.py): step 0 has rate 0 when there is a warm-up.</summary>
/// <param name="Peak">The rate that warm-up and decay scale.</param>
/// <param name="WarmupSteps">Steps of warm-up; 0: none.</param>
/// <param name="TotalSteps">The step at which the rate reaches 0.</param>
internal sealed record LearningRateSchedule(double Peak, int WarmupSteps, int TotalSteps)
{
    /// <summary>Peak * (1 - step / total) * min(1, step / warm-up).</summary>
    public double At(long step)
    {
        double decay = Math.Max(0, 1 - step / (double)TotalSteps);
        double warmup = WarmupSteps == 0 ? 1 : Math.Min(1, step / (double)WarmupSteps);
        return Peak * decay * warmup;
    }
}
