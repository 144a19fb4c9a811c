using System.Reflection;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.Architecture;

/// <summary>The edit that lets LibTorchSharp load on systems with an older C++ runtime, on the file it is made for and on others.</summary>
public sealed class LibTorchShimTests
{
    private const string Version = "GLIBCXX_3.4.32";

    [Fact]
    public void MarksTheNeedWeakAndChangesNothingElse()
    {
        byte[] original = Original();
        byte[] edited = (byte[])original.Clone();

        Assert.Equal(GnuVersionNeed.Outcome.Marked, GnuVersionNeed.MarkWeak(edited, Version));

        int[] changed = [.. Enumerable.Range(0, original.Length).Where(i => original[i] != edited[i])];
        Assert.Single(changed);
        Assert.Equal(original[changed[0]] | 0x2, edited[changed[0]]);
    }

    [Fact]
    public void ASecondTimeChangesNothing()
    {
        byte[] once = Original();
        GnuVersionNeed.MarkWeak(once, Version);
        byte[] twice = (byte[])once.Clone();

        Assert.Equal(GnuVersionNeed.Outcome.AlreadyWeak, GnuVersionNeed.MarkWeak(twice, Version));
        Assert.Equal(once, twice);
    }

    [Fact]
    public void TheBuiltCopyLoadsHere()
    {
        string built = Path.Combine(BuiltElectra.Folder, "libLibTorchSharp.so");
        byte[] image = File.ReadAllBytes(built);
        if (!GnuVersionNeed.SystemProvides(Version))
        {
            Assert.Equal(GnuVersionNeed.Outcome.AlreadyWeak, GnuVersionNeed.MarkWeak(image, Version));
        }
    }

    [Theory]
    [InlineData("GLIBCXX_9.9.99", "does not need version GLIBCXX_9.9.99")]
    [InlineData("", "does not need version")]
    public void AVersionThatIsNotNeededIsAnError(string version, string message)
    {
        var e = Assert.Throws<InvalidDataException>(() => GnuVersionNeed.MarkWeak(Original(), version));
        Assert.Contains(message, e.Message);
    }

    [Fact]
    public void OtherFilesAreRefused()
    {
        Assert.Throws<InvalidDataException>(() => GnuVersionNeed.MarkWeak([], Version));
        Assert.Throws<InvalidDataException>(() => GnuVersionNeed.MarkWeak(new byte[4096], Version));
        Assert.Throws<InvalidDataException>(() => GnuVersionNeed.MarkWeak(File.ReadAllBytes(typeof(Assert).Assembly.Location), Version));
        byte[] otherClass = Original();
        otherClass[4] = 1; // 32-bit
        Assert.Throws<InvalidDataException>(() => GnuVersionNeed.MarkWeak(otherClass, Version));
    }

    [Fact]
    public void ACutFileIsAnErrorAndNotAHang()
    {
        byte[] cut = Original()[..8192];
        Assert.ThrowsAny<Exception>(() => GnuVersionNeed.MarkWeak(cut, Version));
    }

    private static byte[] Original()
    {
        string package = typeof(LibTorchShimTests)
            .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(a => a.Key == "TorchSharpPackage")
            .Value!;
        return File.ReadAllBytes(Path.Combine(package, "runtimes", "linux-x64", "native", "libLibTorchSharp.so"));
    }
}
