using System.Data;
using System.Runtime.CompilerServices;
using Dapper;

namespace ElectraPipeline.Storage;

/// <summary>Dapper's settings are global to the process; they are made before the first query of this assembly.</summary>
internal static class DapperSetup
{
#pragma warning disable CA2255 // Dapper has no settings object that could be passed around.
    [ModuleInitializer]
    internal static void Apply()
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        SqlMapper.AddTypeHandler(new UtcHandler());
        SqlMapper.AddTypeHandler(new TextArrayHandler());
    }
#pragma warning restore CA2255

    /// <summary>timestamptz as <see cref="DateTimeOffset"/> in UTC; Npgsql hands it out as a UTC DateTime.</summary>
    private sealed class UtcHandler : SqlMapper.TypeHandler<DateTimeOffset>
    {
        public override DateTimeOffset Parse(object value) =>
            value is DateTimeOffset offset ? offset : new DateTimeOffset(DateTime.SpecifyKind((DateTime)value, DateTimeKind.Utc));

        public override void SetValue(IDbDataParameter parameter, DateTimeOffset value) => parameter.Value = value.UtcDateTime;
    }

    /// <summary>text[]; Npgsql announces the column as <see cref="Array"/>, which Dapper matches with no parameter of a record.</summary>
    private sealed class TextArrayHandler : SqlMapper.TypeHandler<string[]>
    {
        public override string[] Parse(object value) => (string[])value;

        public override void SetValue(IDbDataParameter parameter, string[]? value) => parameter.Value = value;
    }
}
