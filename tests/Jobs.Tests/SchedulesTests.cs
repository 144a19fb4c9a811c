using ElectraPipeline.Training;
using Xunit;

namespace ElectraPipeline.Jobs.Tests;

public sealed class SchedulesTests
{
    [Fact]
    public void NextRunsFollowTheTimeZoneThroughItsClockChange()
    {
        var runs = Schedules.NextRuns("30 2 * * *", "Europe/Berlin", new DateTimeOffset(2026, 3, 27, 12, 0, 0, TimeSpan.Zero), 3);
        Assert.Equal(
            [
                new DateTimeOffset(2026, 3, 28, 1, 30, 0, TimeSpan.Zero),
                new DateTimeOffset(2026, 3, 29, 1, 0, 0, TimeSpan.Zero), // 02:30 is skipped that night; the run is not
                new DateTimeOffset(2026, 3, 30, 0, 30, 0, TimeSpan.Zero),
            ],
            runs.Select(run => run.ToUniversalTime())
        );
    }

    [Theory]
    [InlineData("every night", "UTC")]
    [InlineData("30 2 * * *", "Mars/Olympus")]
    public void WhatIsNoScheduleIsRefused(string cron, string timeZone) =>
        Assert.Throws<PermanentException>(() => Schedules.NextRuns(cron, timeZone, DateTimeOffset.UnixEpoch, 1));
}
