using System.CommandLine;
using ElectraPipeline.Jobs.Child;

namespace ElectraPipeline.Bench;

/// <summary>What the pipeline adds to pre-training: a stage with all that makes it durable, beside the same steps in a bare loop.</summary>
internal static class OverheadCommand
{
    public static Command Create()
    {
        var rounds = new Option<int>("--rounds") { DefaultValueFactory = _ => 3, Description = "stages, each between two bare loops" };
        var steps = new Option<int>("--steps") { DefaultValueFactory = _ => 200, Description = "optimizer steps of a stage and of a loop" };
        var checkpoint = new Option<int>("--checkpoint-steps")
        {
            DefaultValueFactory = _ => 100,
            Description = "steps between checkpoints",
        };
        var log = new Option<int>("--log-steps") { DefaultValueFactory = _ => 20, Description = "steps between points of the curves" };
        var command = new Command(
            "overhead",
            "How much longer a pre-training stage takes than the same steps in a bare loop of the same process"
        )
        {
            rounds,
            steps,
            checkpoint,
            log,
        };
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                await using OverheadRounds overhead = await OverheadRounds.StartAsync(cancellationToken);
                await overhead.MeasureAsync(
                    parsed.GetValue(rounds),
                    parsed.GetValue(steps),
                    parsed.GetValue(checkpoint),
                    parsed.GetValue(log),
                    cancellationToken
                );
            }
        );
        return command;
    }

    /// <summary>The child that the worker of this benchmark starts; nothing for people.</summary>
    public static Command CreateChild()
    {
        var order = new Argument<string>("ORDERFILE");
        var command = new Command("stage-process", "Do one stage's work between two bare loops of the same steps.") { order };
        command.Hidden = true;
        command.SetAction(parsed =>
            OverheadChild.IsAsked ? OverheadChild.Run(parsed.GetRequiredValue(order)) : StageProcess.Main(parsed.GetRequiredValue(order))
        );
        return command;
    }
}
