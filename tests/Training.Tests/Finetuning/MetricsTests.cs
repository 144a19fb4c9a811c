using System.Globalization;
using System.Text.Json;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Finetuning.Metrics;
using ElectraPipeline.Training.Finetuning.Tasks;
using Xunit;

namespace ElectraPipeline.Training.Tests.Finetuning;

public sealed class MetricsTests
{
    private const double Tolerance = 1e-12;

    [Theory]
    [InlineData("CoLA_dev", "CoLA/dev.tsv", "#3", "#1")]
    [InlineData("CoLA_dev_constant", "CoLA/dev.tsv", "#3", "#1")]
    [InlineData("SST-2_dev", "SST-2/dev.tsv", "sentence", "label")]
    [InlineData("RTE_dev", "RTE/dev.tsv", "sentence1", "label")]
    public void Classification_figures_are_scikit_learns(string name, string file, string text, string label)
    {
        (string[] truth, string[] predicted) = Golden(name, file, text, label);
        string[] labels = [.. truth.Concat(predicted).Distinct().Order()];
        ConfusionMatrix matrix = new(
            labels.Length,
            [.. truth.Select(value => Array.IndexOf(labels, value))],
            [.. predicted.Select(value => Array.IndexOf(labels, value))]
        );
        JsonElement expected = Expected(name);
        Assert.Equal(expected.GetProperty("n").GetInt32(), matrix.Total);
        Assert.Equal(expected.GetProperty("accuracy").GetDouble(), matrix.Accuracy, Tolerance);
        Assert.Equal(matrix.Accuracy, matrix.MicroF1, Tolerance);
        if (expected.TryGetProperty("mcc", out JsonElement matthews))
        {
            Assert.Equal(matthews.GetDouble(), matrix.Matthews, Tolerance);
        }
    }

    [Fact]
    public void Correlations_are_scipys()
    {
        (string[] truth, string[] predicted) = Golden("STS-B_dev", "STS-B/dev.tsv", "sentence1", "score");
        double[] first = [.. truth.Select(value => double.Parse(value, CultureInfo.InvariantCulture))];
        double[] second = [.. predicted.Select(value => double.Parse(value, CultureInfo.InvariantCulture))];
        JsonElement expected = Expected("STS-B_dev");
        Assert.Equal(expected.GetProperty("pearson").GetDouble(), Correlation.Pearson(first, second), Tolerance);
        Assert.Equal(expected.GetProperty("spearman").GetDouble(), Correlation.Spearman(first, second), Tolerance);
        Assert.Equal(0, Correlation.Pearson([1, 1, 1], [1, 2, 3]));
    }

    [Fact]
    public void Three_classes_by_hand()
    {
        // Rows are true classes, columns predicted: 2 1 0 / 0 1 1 / 1 0 0; class 3 never occurs.
        ConfusionMatrix matrix = new(4, [0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 0]);
        Assert.Equal(3 / 6.0, matrix.Accuracy, Tolerance);
        Assert.Equal(2 * 2 / 6.0, matrix.F1(0), Tolerance);
        Assert.Equal(2 * 1 / 4.0, matrix.F1(1), Tolerance);
        Assert.Equal(0, matrix.F1(2), Tolerance);
        Assert.Equal(((2 / 3.0) + 0.5 + 0) / 3, matrix.MacroF1, Tolerance);
        // (c s - sum t p) / sqrt((s^2 - sum p^2)(s^2 - sum t^2)) with c = 3, s = 6, t = (3, 2, 1), p = (3, 2, 1).
        Assert.Equal(((3 * 6) - 14) / Math.Sqrt(22.0 * 22.0), matrix.Matthews, Tolerance);
    }

    [Fact]
    public void Nothing_to_measure_is_zero()
    {
        ConfusionMatrix matrix = new(2, [], []);
        Assert.Equal((0, 0, 0, 0), (matrix.Accuracy, matrix.MacroF1, matrix.MicroF1, matrix.Matthews));
    }

    private static (string[] Truth, string[] Predicted) Golden(string name, string file, string text, string label)
    {
        string[] truth =
        [
            .. TaskFile
                .Read(SharedData.Require("data/glue/" + file), new TaskColumns(text, null, label, null))
                .Select(example => example.Label),
        ];
        string[] predicted =
        [
            .. File.ReadLines(SharedData.Require($"data/glue/golden/{name}.pred.tsv")).Skip(1).Select(line => line.Split('\t')[1]),
        ];
        return (truth, predicted);
    }

    private static JsonElement Expected(string name) =>
        JsonDocument.Parse(File.ReadAllText(SharedData.Require("data/glue/golden/expected.json"))).RootElement.GetProperty(name);
}
