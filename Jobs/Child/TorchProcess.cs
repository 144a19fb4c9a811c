using System.Diagnostics;

namespace ElectraPipeline.Jobs.Child;

/// <summary>The environment of a process that trains.</summary>
internal static class TorchProcess
{
    /// <summary>
    /// glibc's allocator, told to keep what a step frees. By default it hands large blocks back to the kernel and gets them again, zeroed
    /// page by page, in the next layer: a third of the time of a step over 512 tokens. One arena, since those of threads are cut into
    /// pieces of 64 MiB, which are handed back too. 32 MiB is the most that the first setting takes.
    /// </summary>
    private const string KeepMemory =
        "glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=1099511627776:glibc.malloc.arena_max=1";

    /// <summary>Sets what LibTorch and the allocator read when the process starts.</summary>
    public static void Prepare(ProcessStartInfo start)
    {
        // Spinning OpenMP threads slow each other tenfold when the cores are shared.
        start.Environment["OMP_WAIT_POLICY"] = "passive";
        start.Environment["OMP_NUM_THREADS"] = "1";

        // What the user has tuned stays.
        start.Environment.TryAdd("GLIBC_TUNABLES", KeepMemory);
    }
}
