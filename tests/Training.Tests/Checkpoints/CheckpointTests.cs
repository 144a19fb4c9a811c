using System.Text.Json;
using ElectraPipeline.Training.Checkpoints;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Checkpoints;

public sealed class CheckpointTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("electra-checkpoint").FullName;
    private readonly List<string> log = [];

    public CheckpointTests() => set_num_threads(1);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void State_and_tensors_come_back_as_they_were_written()
    {
        using var scope = NewDisposeScope();
        Write(keep: 0, 123);

        using Checkpoint checkpoint = Assert.IsType<Checkpoint>(CheckpointReader.OpenNewest(folder, log.Add));
        Assert.Equal(Path.Combine(folder, "step-000123"), checkpoint.Folder);
        Assert.Equal(
            (123L, 123L * 32, ulong.MaxValue, "test"),
            (checkpoint.State.Step, checkpoint.State.DataPosition, checkpoint.State.Seed, checkpoint.State.Kind)
        );
        Assert.Equal("{\"steps\":10}", JsonSerializer.Serialize(checkpoint.State.Config));
        Assert.Equal([123f, 123f], checkpoint.Tensors.Read("weight").data<float>().ToArray());
        Assert.Empty(log);
    }

    [Fact]
    public void The_newest_are_kept_and_a_single_folder_can_be_named()
    {
        using var scope = NewDisposeScope();
        Write(keep: 2, 5, 10, 1_000_000, 1_000_005);

        Assert.Equal(["step-1000000", "step-1000005"], Directory.GetDirectories(folder).Select(Path.GetFileName).Order());
        using Checkpoint named = CheckpointReader.OpenNewest(Path.Combine(folder, "step-1000000"), log.Add)!;
        Assert.Equal(1_000_000, named.State.Step);
        using Checkpoint newest = CheckpointReader.OpenNewest(folder, log.Add)!;
        Assert.Equal(1_000_005, newest.State.Step);
    }

    [Fact]
    public void Writing_an_earlier_step_drops_the_stale_later_ones()
    {
        using var scope = NewDisposeScope();
        Write(keep: 2, 10, 20, 30);
        Write(keep: 2, 25);
        Assert.Equal(["step-000020", "step-000025"], Directory.GetDirectories(folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void An_unfinished_checkpoint_is_never_seen()
    {
        using var scope = NewDisposeScope();
        CheckpointWriter writer = new(folder);
        Assert.ThrowsAny<ArgumentException>(() => writer.Write(State(7), [("weight", ones(2)), ("weight", ones(2))]));
        Assert.Null(CheckpointReader.OpenNewest(folder, log.Add));
        Assert.Null(CheckpointReader.OpenNewest(Path.Combine(folder, "missing"), log.Add));

        Write(keep: 0, 7);
        using Checkpoint whole = CheckpointReader.OpenNewest(folder, log.Add)!;
        Assert.Equal(["state.json", "state.safetensors"], Directory.GetFiles(whole.Folder).Select(Path.GetFileName).Order());
        Assert.Single(Directory.GetFileSystemEntries(folder));
    }

    [Theory]
    [InlineData("truncated", "state.safetensors: SHA-256 is")]
    [InlineData("one bit", "state.safetensors: SHA-256 is")]
    [InlineData("no tensors", "state.safetensors: there is no such file")]
    [InlineData("state cut", "state.json: not a checkpoint's state")]
    [InlineData("no state", "state.json: not a checkpoint's state")]
    [InlineData("version", "state.json: checkpoint format 99, this program reads 1")]
    public void A_damaged_checkpoint_is_named_and_the_older_one_taken(string damage, string expected)
    {
        using var scope = NewDisposeScope();
        Write(keep: 0, 10, 20);
        string damaged = Path.Combine(folder, "step-000020");
        Damage(damaged, damage);

        Assert.Contains(expected, Assert.Throws<PermanentException>(() => CheckpointReader.Open(damaged)).Message);
        using (Checkpoint older = CheckpointReader.OpenNewest(folder, log.Add)!)
        {
            Assert.Equal(10, older.State.Step);
        }

        Assert.Contains(expected, Assert.Single(log));
        Damage(Path.Combine(folder, "step-000010"), damage);
        PermanentException all = Assert.Throws<PermanentException>(() => CheckpointReader.OpenNewest(folder, log.Add));
        Assert.Contains("step-000010", all.Message);
        Assert.Contains("step-000020", all.Message);
    }

    private static void Damage(string checkpoint, string damage)
    {
        string tensors = Path.Combine(checkpoint, "state.safetensors");
        string state = Path.Combine(checkpoint, "state.json");
        byte[] bytes = File.ReadAllBytes(tensors);
        switch (damage)
        {
            case "truncated":
                File.WriteAllBytes(tensors, bytes[..^4]);
                break;
            case "one bit":
                bytes[^1] ^= 1;
                File.WriteAllBytes(tensors, bytes);
                break;
            case "no tensors":
                File.Delete(tensors);
                break;
            case "state cut":
                File.WriteAllText(state, File.ReadAllText(state)[..40]);
                break;
            case "no state":
                File.Delete(state);
                break;
            case "version":
                File.WriteAllText(state, File.ReadAllText(state).Replace("\"formatVersion\": 1", "\"formatVersion\": 99"));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(damage));
        }
    }

    private static CheckpointState State(long step) =>
        new()
        {
            Kind = "test",
            Step = step,
            DataPosition = step * 32,
            Seed = ulong.MaxValue,
            Config = JsonSerializer.SerializeToElement(new { steps = 10 }),
        };

    private void Write(int keep, params long[] steps)
    {
        CheckpointWriter writer = new(folder, keep);
        foreach (long step in steps)
        {
            writer.Write(State(step), [("weight", full([2], (double)step, ScalarType.Float32)), ("count", tensor(step))]);
        }
    }
}
