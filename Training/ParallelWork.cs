using System.Runtime.ExceptionServices;

namespace ElectraPipeline.Training;

/// <summary>
/// Loops over a number of threads that fail as loops on one thread do: with the first failure itself, not a bundle of them.
/// </summary>
internal static class ParallelWork
{
    /// <summary>
    /// Does <paramref name="work"/> for each index below <paramref name="count"/>, on at most <paramref name="threads"/> threads.
    /// </summary>
    public static void For(int count, int threads, Action<int> work)
    {
        try
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, work);
        }
        catch (AggregateException exception)
        {
            ExceptionDispatchInfo.Throw(exception.InnerExceptions[0]);
        }
    }
}
