using System.Globalization;
using System.Text.Json;
using ElectraPipeline.Storage.ReadModels;
using Spectre.Console;

namespace ElectraPipeline.Cli.Rendering;

/// <summary>What a run brought: versions, held-out metrics beside what they have to beat, and fine-tuned accuracies.</summary>
internal static class ResultTable
{
    /// <summary>Writes the result of a run that succeeded.</summary>
    public static async Task WriteAsync(Terminal terminal, Queries queries, RunDetail run, CancellationToken cancellationToken)
    {
        string? registered = run.Stages.SingleOrDefault(s => s.Stage == "register")?.Result;
        if (registered is null)
        {
            return;
        }

        using var versions = JsonDocument.Parse(registered);
        string name = versions.RootElement.GetProperty("model").GetString()!;
        int version = versions.RootElement.GetProperty("modelVersion").GetInt32();
        if (await queries.ModelVersionAsync(name, $"{version}", cancellationToken) is not { } model)
        {
            return;
        }

        var table = new Table { Border = TableBorder.Simple, Title = new TableTitle($"model {Markup.Escape(name)}@{version}") };
        table.AddColumn("result");
        table.AddColumn(new TableColumn("value").RightAligned().NoWrap());
        table.AddColumn("beside");
        AddHeldOut(table, model);
        AddFinetuned(table, model);
        if (model.Dataset is { } dataset)
        {
            table.AddRow("dataset version", $"{model.DatasetVersion}", Markup.Escape(dataset));
        }

        table.AddRow(
            "stages reused",
            $"{run.Stages.Count(s => s.ReusedFromRun is not null)} / {run.Stages.Count}",
            $"run {run.Summary.Id}"
        );
        table.AddRow("time", Durations.Short((run.Summary.FinishedAt ?? run.Summary.CreatedAt) - run.Summary.CreatedAt), "");
        terminal.Output.Write(table);
    }

    private static void AddHeldOut(Table table, ModelVersionRow model)
    {
        using var metrics = JsonDocument.Parse(model.Metrics);
        JsonElement root = metrics.RootElement;
        if (!root.EnumerateObject().Any())
        {
            return; // an imported model was measured elsewhere, if at all
        }

        double? margin = HeldOut.Value(root, HeldOut.UnigramEntropy) - HeldOut.Value(root, HeldOut.LossOf(root));
        table.AddRow(
            "held-out MLM loss (nats)",
            HeldOut.Text(root, HeldOut.LossOf(root)),
            $"unigram entropy {HeldOut.Text(root, HeldOut.UnigramEntropy)}"
                + (margin is { } nats ? $", {Text(Math.Abs(nats), "0.00")} {(nats < 0 ? "above" : "below")} it" : "")
        );
        if (HeldOut.Value(root, HeldOut.Auc) is not null)
        {
            table.AddRow("held-out RTD AUC", HeldOut.Text(root, HeldOut.Auc), "guessing 0.500");
        }
    }

    private static void AddFinetuned(Table table, ModelVersionRow model)
    {
        using var finetuned = JsonDocument.Parse(model.Finetuned);
        foreach (JsonProperty task in finetuned.RootElement.EnumerateObject())
        {
            JsonElement result = task.Value.GetProperty("result");
            JsonElement[] arms = [.. result.GetProperty("arms").EnumerateArray()];
            JsonElement baseline = result.GetProperty("baseline");
            string metric = result.GetProperty("metric").GetString()!.Replace('_', ' ');
            string beside = $"{baseline.GetProperty("answer").GetString()} {Percent(baseline.GetProperty("value").GetDouble())}";
            foreach (JsonElement arm in arms)
            {
                string kind = arm.GetProperty("arm").GetString()!;
                int seeds = arm.GetProperty("trainings").GetArrayLength();
                table.AddRow(
                    Markup.Escape(kind == "pretrained" ? $"{task.Name} {metric}" : $"{task.Name}, {kind} weights"),
                    $"{Percent(arm.GetProperty("mean").GetDouble())} ± {Percent(arm.GetProperty("standardDeviation").GetDouble())}",
                    Markup.Escape($"{seeds} {(seeds == 1 ? "seed" : "seeds")}, {beside}")
                );
            }
        }
    }

    private static string Percent(double share) => Text(100 * share, "0.0") + " %";

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
