using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.Launcher;

/// <summary>What the launcher installs, when, and what it says where it may not.</summary>
public sealed class SystemNeedsTests : IDisposable
{
    private const string NothingFound = "find_initdb() { return 1; }\nhas_library() { return 1; }\n";
    private readonly LauncherTree tree = new();

    public void Dispose() => tree.Dispose();

    [Fact]
    public async Task AUserIsToldWhatToInstall()
    {
        ProcessResult result = await tree.FunctionAsync(NothingFound + "is_debian_root() { return 1; }\nensure_postgresql");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("sudo apt-get install postgresql", result.Error);
        Assert.Contains("ELECTRA_DATABASE", result.Error);
        Assert.Single(result.Error.Trim().Split('\n'));

        ProcessResult libraries = await tree.FunctionAsync(NothingFound + "is_debian_root() { return 1; }\nensure_native_libraries");
        Assert.Equal(2, libraries.ExitCode);
        Assert.Contains("libgomp1", libraries.Error);
        Assert.Contains("libstdc++6", libraries.Error);
    }

    [Fact]
    public async Task RootOnDebianGetsWhatIsMissingAndIsTold()
    {
        ProcessResult result = await tree.FunctionAsync(NothingFound + "is_debian_root() { return 0; }\nensure_native_libraries");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("installing libgomp1 libstdc++6", result.Error);
        Assert.Equal(["install -y --no-install-recommends libgomp1 libstdc++6"], tree.Installations);
    }

    [Fact]
    public async Task AFailedInstallationIsTriedWithFreshListsAndThenNamed()
    {
        ProcessResult result = await tree.FunctionAsync("install_packages 'a reason' chromium", new() { ["FAKE_APT_CODE"] = "100" });
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("E: no network", result.Error);
        Assert.Contains("install it by hand", result.Error);
        Assert.Equal(["install -y --no-install-recommends chromium", "update"], tree.Installations);
    }

    [Fact]
    public async Task NothingIsInstalledWhereNothingIsMissing()
    {
        ProcessResult result = await tree.FunctionAsync(
            "find_initdb() { return 0; }\nhas_library() { return 0; }\nensure_postgresql\nensure_native_libraries"
        );
        Assert.Equal(0, result.ExitCode);
        Assert.Equal("", result.Output + result.Error);
        Assert.Empty(tree.Installations);
    }

    [Fact]
    public async Task DebiansOwnClusterIsNotMade()
    {
        string settings = Path.Combine(tree.Tools, "createcluster.conf");
        File.WriteAllText(settings, "#create_main_cluster = true\n");
        LauncherTree.WriteScript(
            Path.Combine(tree.Tools, "apt-get"),
            $"#!/bin/sh\necho \"$*: $(tail -n 1 '{settings}')\" >>\"$APT_LOG\"\n"
        );
        ProcessResult result = await tree.FunctionAsync(
            $"tries=0\nfind_initdb() {{ tries=$((tries + 1)); [ $tries -gt 1 ]; }}\nis_debian_root() {{ return 0; "
                + $"}}\nensure_postgresql '{settings}'"
        );
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(
            [
                "install -y --no-install-recommends postgresql-common: #create_main_cluster = true",
                "install -y --no-install-recommends postgresql: create_main_cluster = false",
            ],
            tree.Installations
        );
        Assert.Equal("#create_main_cluster = true\n", File.ReadAllText(settings));
    }
}
