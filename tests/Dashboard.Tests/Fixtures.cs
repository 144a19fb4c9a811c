using ElectraPipeline.TestSupport;
using Xunit;

[assembly: AssemblyFixture(typeof(PostgresFixture))]
