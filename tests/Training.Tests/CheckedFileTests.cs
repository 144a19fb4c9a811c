using System.Diagnostics;
using System.Text;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Corpus.Cache;
using ElectraPipeline.Training.Corpus.Readers;
using ElectraPipeline.Training.Tests.Corpus;
using Xunit;

namespace ElectraPipeline.Training.Tests;

/// <summary>Files that configs name: what was opened counts, and what is read is what was looked at.</summary>
public sealed class CheckedFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly string inside;
    private readonly string secret;
    private readonly InputFolders allowed;

    public CheckedFileTests()
    {
        inside = folder.Write("in/text.txt", "inside");
        secret = folder.Write("out/secret.txt", "secret");
        allowed = InputFolders.Parse(folder["in"]);
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_link_is_opened_where_it_leads_to_an_allowed_folder_alone()
    {
        File.CreateSymbolicLink(folder["out/good"], inside);
        File.CreateSymbolicLink(folder["in/bad"], secret);
        Assert.Equal(CheckedFile.Digest(inside, allowed), CheckedFile.Digest(folder["out/good"], allowed));
        string message = Assert.Throws<PermanentException>(() => CheckedFile.Open(folder["in/bad"], allowed)).Message;
        Assert.StartsWith($"{folder["in/bad"]} leads to {secret}; inputs are read from {folder["in"]} alone", message);
        Assert.Throws<PermanentException>(() => CheckedFile.Open(inside, allowed.And(InputFolders.Of([folder["out"]]))));
    }

    [Fact]
    public void A_file_that_is_swapped_for_a_link_at_any_moment_is_never_read()
    {
        using var stop = new CancellationTokenSource();
        var swapping = new Thread(() =>
        {
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                string next = folder[$"in/next{i}"];
                if (i % 2 == 0)
                {
                    File.CreateSymbolicLink(next, secret);
                }
                else
                {
                    File.WriteAllText(next, "inside");
                }

                File.Move(next, inside, overwrite: true);
            }
        });
        swapping.Start();
        int refused = 0,
            read = 0;
        string expected = CheckedFile.Digest(folder.Write("same", "inside"), InputFolders.Anywhere);
        for (
            long end = Stopwatch.GetTimestamp() + (60 * Stopwatch.Frequency);
            (refused < 200 || read < 200) && Stopwatch.GetTimestamp() < end;

        )
        {
            try
            {
                Assert.Equal(expected, CheckedFile.Digest(inside, allowed));
                read++;
            }
            catch (PermanentException)
            {
                refused++;
            }
        }

        stop.Cancel();
        swapping.Join();
        Assert.True(refused >= 200 && read >= 200, $"refused {refused}, read {read}");
    }

    [Fact]
    public void A_pipe_that_nobody_writes_into_is_refused_at_once()
    {
        using (var making = Process.Start("mkfifo", folder["in/pipe"]))
        {
            making.WaitForExit();
        }

        Assert.Contains("is a pipe", Assert.Throws<PermanentException>(() => CheckedFile.Open(folder["in/pipe"], allowed)).Message);
        Assert.Contains(
            "is a pipe",
            Assert.Throws<PermanentException>(() => SourceFiles.Resolve(CorpusTesting.Options(folder["in"]))).Message
        );
    }

    [Fact]
    public void What_is_missing_is_said_as_usual()
    {
        Assert.Contains(
            folder["in/none"],
            Assert.Throws<FileNotFoundException>(() => CheckedFile.Open(folder["in/none"], allowed)).Message
        );
        Assert.Throws<UnauthorizedAccessException>(() => CheckedFile.Open(folder["in"], allowed));
    }

    [Fact]
    public void Other_bytes_than_those_looked_at_are_not_read()
    {
        string digest = CheckedFile.Digest(inside, allowed);
        Assert.Equal("inside", Encoding.UTF8.GetString(CheckedFile.ReadAllBytes(inside, digest)));
        File.Delete(inside);
        File.CreateSymbolicLink(inside, secret);
        string message = Assert.Throws<IOException>(() => CheckedFile.ReadAllBytes(inside, digest)).Message;
        Assert.StartsWith($"{inside} changed while it was read (SHA-256 {digest}", message);
        Assert.DoesNotContain("secret", message.Replace(inside, "", StringComparison.Ordinal));
    }

    /// <summary>Length and time of modification tell that a file is what it was, but only in the same place.</summary>
    [Fact]
    public void A_link_to_a_file_of_the_same_length_and_time_is_noticed()
    {
        DateTime old = DateTime.UtcNow.AddHours(-1);
        File.SetLastWriteTimeUtc(inside, old);
        File.SetLastWriteTimeUtc(secret, old);
        SourceFile listed = SourceFile.Of(inside, "text.txt", allowed);
        File.Delete(inside);
        File.CreateSymbolicLink(inside, secret);
        Assert.Throws<PermanentException>(() => DocumentSource.Read(listed, CorpusTesting.Options(inside)).Count());
        Assert.Throws<PermanentException>(() => FileDigests.Of(inside, allowed));
        SourceFile anywhere = listed with { Allowed = InputFolders.Anywhere };
        Assert.Throws<IOException>(() => DocumentSource.Read(anywhere, CorpusTesting.Options(inside)).Count());
        Assert.NotEqual(listed.Sha256, FileDigests.Of(inside, InputFolders.Anywhere).Sha256);
    }
}
