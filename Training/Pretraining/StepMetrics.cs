using ElectraPipeline.Training.Objective;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>What one optimizer step came to.</summary>
/// <param name="Step">The step, from 0.</param>
/// <param name="Sums">Losses and counts over the step's batch.</param>
/// <param name="Loss">The weighted total that was minimized.</param>
/// <param name="LearningRate">The step's learning rate.</param>
/// <param name="GradientNorm">Global norm of the gradient before clipping.</param>
internal readonly record struct StepMetrics(long Step, ObjectiveSums Sums, double Loss, double LearningRate, double GradientNorm);
