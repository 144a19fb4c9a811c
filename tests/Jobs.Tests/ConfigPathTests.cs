using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using ElectraPipeline.Jobs.Configuration;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training;
using Xunit;

namespace ElectraPipeline.Jobs.Tests;

/// <summary>
/// Files that configs name: none lies outside the config's folder unless it is named in full, or in a folder that is allowed.
/// </summary>
public sealed class ConfigPathTests : IDisposable
{
    // Each field that names a file, in a config that names no other.
    private static readonly Dictionary<string, string> Fields = new()
    {
        ["corpus.paths[0]"] = """ "corpus": {"paths": [PATH]} """,
        ["corpus.filters.language.profiles[0]"] =
            """ "corpus": {"paths": ["dotnet-docs"], "filters": {"language": {"profiles": [PATH]}}} """,
        ["corpus.filters.decontaminate.files[0]"] =
            """ "corpus": {"paths": ["dotnet-docs"], "filters": {"decontaminate": {"files": [PATH]}}} """,
        ["vocabulary.path"] = """ "corpus": {"paths": ["dotnet-docs"]}, "vocabulary": {"path": PATH} """,
        ["mixture.datasets[0].path"] = """ "corpus": {"paths": ["dotnet-docs"]}, "mixture": {"datasets": [{"path": PATH}]} """,
        ["pretrain.initializeFrom"] = """ "corpus": {"paths": ["dotnet-docs"]}, "pretrain": {"initializeFrom": PATH} """,
        ["finetune[0].train"] = """ "corpus": {"paths": ["dotnet-docs"]}, "finetune": [{"name": "t", "train": PATH}] """,
        ["finetune[0].evaluation"] = """
            "corpus": {"paths": ["dotnet-docs"]}, "finetune": [{"name": "t", "train": "dotnet-docs:member-kind", "evaluation": PATH}]
            """,
    };

    // Texts of a config that name no file.
    private static readonly string[] NoPaths =
    [
        "name",
        "preset",
        "from",
        "limits[].stage",
        "corpus.format",
        "corpus.textField",
        "corpus.onReject",
        "corpus.filters.language.allowed[]",
        "corpus.filters.gopherQuality.languages[]",
        "examples.overflow",
        "model.preset",
        "model.embeddingSharing",
        "model.generator",
        "model.initialization",
        "pretrain.objective",
        "pretrain.device",
        "pretrain.precision",
        "finetune[].name",
        "finetune[].kind",
        "finetune[].metric",
        "finetune[].textColumn",
        "finetune[].pairColumn",
        "finetune[].labelColumn",
        "finetune[].groupColumn",
        "finetune[].layerwiseDecayRule",
        "finetune[].head",
        "inputs.folders[]",
        "inputs.inFull[]",
    ];

    private readonly TemporaryFolder folder = new();

    public ConfigPathTests()
    {
        folder.Write("conf/inside/text.txt", "text");
        folder.Write("outside/secret.txt", "secret");
    }

    public static TheoryData<string> PathFields => [.. Fields.Keys];

    public void Dispose() => folder.Dispose();

    [Theory]
    [MemberData(nameof(PathFields))]
    public void No_relative_path_leads_out_of_the_configs_folder(string field)
    {
        Assert.EndsWith("conf/inside/text.txt", ValueOf(Read(field, "inside/text.txt"), field));
        Assert.EndsWith("conf/inside/text.txt", ValueOf(Read(field, "sub/../inside/text.txt"), field));
        AssertRefused(field, "../outside/secret.txt", folder["outside/secret.txt"]);
        AssertRefused(field, "inside/../../outside", folder["outside"]);
        AssertRefused(field, "dotnet-docs:/../../outside", folder["outside"]);

        File.CreateSymbolicLink(folder["conf/file"], folder["outside/secret.txt"]);
        Directory.CreateSymbolicLink(folder["conf/folder"], "../outside");
        Directory.CreateSymbolicLink(folder["conf/alias"], "inside");
        AssertRefused(field, "file", folder["outside/secret.txt"]);
        AssertRefused(field, "folder/secret.txt", folder["outside/secret.txt"]);
        AssertRefused(field, "alias/../folder", folder["outside"]);
        Assert.EndsWith("conf/alias/text.txt", ValueOf(Read(field, "alias/text.txt"), field));
    }

    [Theory]
    [MemberData(nameof(PathFields))]
    public void A_path_in_full_is_allowed_until_inputs_are_confined_and_then_no_path_leaves_their_folders(string field)
    {
        string secret = folder["outside/secret.txt"];
        Assert.Equal(secret, ValueOf(Read(field, secret), field));
        InputFolders outside = InputFolders.Parse(folder["outside"]);
        Assert.Equal(secret, ValueOf(Read(field, secret, outside), field));
        Assert.Equal(secret, ValueOf(Read(field, "../outside/secret.txt", outside), field));

        InputFolders conf = InputFolders.Parse($"{folder["conf"]}:{folder["conf/inside"]}");
        Assert.EndsWith("conf/inside/text.txt", ValueOf(Read(field, "inside/text.txt", conf), field));
        foreach (string path in new[] { secret, "../outside/secret.txt", "../conf-not", folder["conf-not"] })
        {
            string message = Assert.Throws<PermanentException>(() => Read(field, path, conf)).Message;
            Assert.StartsWith($"{folder["conf/run.json"]}: {field} is {path}, which leads to ", message);
            Assert.Contains("ELECTRA_INPUT_FOLDERS", message);
        }

        File.CreateSymbolicLink(folder["conf/file"], secret);
        Assert.Contains(secret, Assert.Throws<PermanentException>(() => Read(field, folder["conf/file"], conf)).Message);
    }

    [Theory]
    [InlineData("mixture.datasets[0].path")]
    [InlineData("pretrain.initializeFrom")]
    public void A_folder_that_is_read_as_it_is_holds_no_link_that_leads_out(string field)
    {
        Directory.CreateDirectory(folder["conf/inside/deep"]);
        Directory.CreateSymbolicLink(folder["conf/inside/deep/first"], folder["conf/other"]);
        Directory.CreateDirectory(folder["conf/other"]);
        Assert.NotNull(Read(field, "inside"));
        File.CreateSymbolicLink(folder["conf/other/model.safetensors"], folder["outside/secret.txt"]);
        AssertRefused(field, "inside", folder["outside/secret.txt"]);
    }

    [Fact]
    public void A_glob_starts_in_the_configs_folder_and_links_in_a_circle_are_named()
    {
        Assert.NotNull(Read("corpus.paths[0]", "inside/**/*.txt"));
        AssertRefused("corpus.paths[0]", "../*/secret.txt", folder.Path);
        Directory.CreateSymbolicLink(folder["conf/one"], folder["conf/two"]);
        Directory.CreateSymbolicLink(folder["conf/two"], folder["conf/one"]);
        Assert.Contains("around in a circle", Assert.Throws<PermanentException>(() => Read("vocabulary.path", "one")).Message);
    }

    [Fact]
    public void A_config_that_is_itself_reached_by_a_link_keeps_its_folder()
    {
        Directory.CreateSymbolicLink(folder["linked"], folder["conf"]);
        Assert.NotNull(Read("vocabulary.path", "inside/text.txt", at: "linked/run.json"));
        AssertRefused("vocabulary.path", "../outside/secret.txt", folder["outside/secret.txt"], at: "linked/run.json");
    }

    [Fact]
    public void A_list_of_folders_that_names_none_or_a_missing_one_is_refused()
    {
        Assert.Contains("names no folder", Assert.Throws<PermanentException>(() => InputFolders.Parse(":")).Message);
        Assert.Contains(
            folder["missing"],
            Assert.Throws<PermanentException>(() => InputFolders.Parse($"{folder.Path}:{folder["missing"]}")).Message
        );
        Assert.False(InputFolders.Parse("").AreConfined);
    }

    [Fact]
    public void Every_text_of_a_config_is_known_to_be_a_path_or_none() =>
        Assert.Equal(
            NoPaths.Concat(Fields.Keys.Select(field => field.Replace("[0]", "[]", StringComparison.Ordinal))).Order(StringComparer.Ordinal),
            TextsOf(typeof(RunConfig), "").Order(StringComparer.Ordinal)
        );

    [Theory]
    [MemberData(nameof(PathFields))]
    public void A_stored_config_keeps_the_rule_that_it_was_read_under(string field)
    {
        RunConfig relative = Stored(Read(field, "inside/text.txt"));
        Assert.Equal([folder["conf"]], relative.Inputs!.Folders);
        RunConfig confined = Stored(Read(field, folder["conf/inside/text.txt"], InputFolders.Parse(folder["conf/inside"])));
        RunConfig inFull = Stored(Read(field, folder["conf/inside/text.txt"]));
        RunConfig old = Stored(relative with { Inputs = null });
        RunConfig[] all = [relative, confined, inFull, old];
        Assert.All(all, config => Assert.Equal([], Faults(config)));
        Assert.Contains("inputs are read from", Assert.Single(Faults(old, InputFolders.Parse(folder["outside"]))));

        // Once a link takes the file's place.
        File.Delete(folder["conf/inside/text.txt"]);
        File.CreateSymbolicLink(folder["conf/inside/text.txt"], folder["outside/secret.txt"]);
        foreach ((RunConfig config, string allowed) in new[] { (relative, "conf"), (confined, "conf/inside") })
        {
            string fault = Assert.Single(Faults(config));
            Assert.StartsWith(
                $"{field} is {folder["conf/inside/text.txt"]}, which leads to {folder["outside/secret.txt"]}, out of {folder[allowed]}, ",
                fault
            );
            Assert.EndsWith("submit the config again", fault);
        }

        Assert.Equal([], Faults(inFull));
        Assert.Equal([], Faults(old));

        static RunConfig Stored(RunConfig config) => CanonicalJson.Read<RunConfig>(CanonicalJson.Write(config));
        static IReadOnlyList<string> Faults(RunConfig config, InputFolders? confined = null) =>
            ConfigPaths.FaultsOf(config, folder: null, config.Inputs, confined ?? InputFolders.Anywhere);
    }

    [Fact]
    public void A_folder_that_is_mounted_elsewhere_later_is_still_the_configs_own()
    {
        Directory.CreateSymbolicLink(folder["mount"], folder["conf"]);
        RunConfig config = Read("vocabulary.path", "inside/text.txt", at: "mount/run.json");
        folder.Write("conf2/inside/text.txt", "text");
        Directory.Delete(folder["mount"]);
        Directory.CreateSymbolicLink(folder["mount"], folder["conf2"]);
        Assert.Equal([], ConfigPaths.FaultsOf(config, folder: null, config.Inputs, InputFolders.Anywhere));
    }

    [Fact]
    public void No_config_says_itself_where_its_files_may_lie()
    {
        folder.Write("conf/run.json", """{"name": "x", "corpus": {"paths": ["inside"]}, "inputs": {"folders": ["/"], "inFull": []}}""");
        Assert.Contains(
            "inputs is found out",
            Assert.Throws<PermanentException>(() => RunConfigReader.ReadFile(folder["conf/run.json"])).Message
        );
    }

    [Theory]
    [MemberData(nameof(PathFields))]
    public void Every_path_of_a_config_is_read_by_a_stage_that_says_so(string field) =>
        Assert.Single(Pipeline.Stages, stage => stage.Opens(field));

    [Fact]
    public void Every_config_of_the_repository_keeps_to_its_folder()
    {
        string[] configs =
        [
            .. Directory.GetFiles(Path.Combine(SharedData.RepositoryRoot, "configs"), "*.json"),
            .. Directory.GetFiles(Path.Combine(SharedData.RepositoryRoot, "bench", "study"), "*.json"),
        ];
        Assert.True(configs.Length >= 10, $"{configs.Length} configs");
        Assert.All(configs, config => Assert.NotNull(RunConfigReader.ReadFile(config)));
    }

    private static IEnumerable<string> TextsOf(Type type, string path)
    {
        foreach (PropertyInfo property in type.GetProperties().Where(property => property.CanWrite))
        {
            string name = path + JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            Type inner = property.PropertyType;
            if (inner.IsGenericType && inner.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
            {
                (name, inner) = (name + "[]", inner.GetGenericArguments()[0]);
            }

            if (inner == typeof(string))
            {
                yield return name;
            }
            else if (inner.Namespace!.StartsWith("ElectraPipeline", StringComparison.Ordinal))
            {
                foreach (string text in TextsOf(inner, name + "."))
                {
                    yield return text;
                }
            }
        }
    }

    private static string ValueOf(RunConfig config, string field)
    {
        JsonNode node = JsonNode.Parse(CanonicalJson.Write(config))!;
        foreach (string key in field.Replace("[0]", ".0", StringComparison.Ordinal).Split('.'))
        {
            node = node is JsonArray list ? list[int.Parse(key, CultureInfo.InvariantCulture)]! : node[key]!;
        }

        return node.GetValue<string>();
    }

    private void AssertRefused(string field, string path, string leadsTo, string at = "conf/run.json")
    {
        string message = Assert.Throws<PermanentException>(() => Read(field, path, at: at)).Message;
        Assert.StartsWith(
            $"{folder[at]}: {field} is {path}, which leads to {leadsTo}, out of the config's folder {folder["conf"]}; ",
            message
        );
        Assert.Contains("write the path out in full", message);
        Assert.Contains("ELECTRA_INPUT_FOLDERS", message);
    }

    private RunConfig Read(string field, string path, InputFolders? allowed = null, string at = "conf/run.json")
    {
        folder.Write(
            at,
            $$"""{"name": "x", {{Fields[field].Replace("PATH", JsonSerializer.Serialize(path), StringComparison.Ordinal)}} }"""
        );
        return RunConfigReader.ReadFile(folder[at], allowed);
    }
}
