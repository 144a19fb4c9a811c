using ElectraPipeline.EndToEnd.Tests.Pipelines;
using ElectraPipeline.TestSupport;
using Xunit;

[assembly: AssemblyFixture(typeof(PostgresFixture))]
[assembly: AssemblyFixture(typeof(UndisturbedRun))]
