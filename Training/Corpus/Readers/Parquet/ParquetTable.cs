using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Parquet;
using Parquet.Meta;
using Parquet.Schema;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>An open Parquet file, whose damage of any kind shows as one kind of exception.</summary>
internal sealed class ParquetTable : IDisposable
{
    /// <summary>What the pages of a column of a row group may hold together.</summary>
    public const long MaxColumnBytes = 512 << 20;

    private const long MaxRows = 16 << 20;
    private readonly DiskStream disk;
    private readonly ParquetReader reader;

    private ParquetTable(DiskStream disk, ParquetReader reader)
    {
        this.disk = disk;
        this.reader = reader;
        NestedColumns = [.. reader.Schema.Fields.Where(field => !IsFlat(field)).Select(field => field.Name)];
    }

    public int Groups => reader.RowGroupCount;

    /// <summary>Lists, maps and structs.</summary>
    public IReadOnlyList<string> NestedColumns { get; }

    /// <summary>The flat columns, for messages.</summary>
    public string Names =>
        string.Join(", ", reader.Schema.Fields.Where(IsFlat).Select(column => $"\"{column.Name}\"").DefaultIfEmpty("none"));

    /// <summary>Reads the open file, which stays the caller's.</summary>
    /// <exception cref="DamagedSourceException">It is no Parquet file, or its metadata is damaged.</exception>
    public static ParquetTable Open(SafeFileHandle handle)
    {
        var disk = new DiskStream(handle);
        try
        {
            return Guarded(
                disk,
                () =>
                    new ParquetTable(
                        disk,
                        Wait(ParquetReader.CreateAsync(disk, new ParquetOptions { TreatByteArrayAsString = true }, leaveStreamOpen: true))
                    )
            );
        }
        catch
        {
            disk.Dispose();
            throw;
        }
    }

    public static bool HoldsText(DataField column) => column.ClrType == typeof(ReadOnlyMemory<char>) || column.ClrType == typeof(string);

    /// <summary>The flat column of this name; null if there is none.</summary>
    public DataField? Find(string name) => reader.Schema.Fields.FirstOrDefault(field => field.Name == name && IsFlat(field)) as DataField;

    /// <summary>What a row group says of itself: its rows, and where and how large a column is.</summary>
    public (long Rows, long Offset, long Bytes) Describe(int group, DataField column) =>
        Guarded(
            disk,
            () =>
            {
                using ParquetRowGroupReader rows = reader.OpenRowGroupReader(group);
                ColumnMetaData data = MetadataOf(rows, group, column);
                return (RowsOf(group), FirstPage(data), data.TotalUncompressedSize);
            }
        );

    /// <summary>The strings of a column, null where the table has none.</summary>
    public string?[] ReadStrings(int group, DataField column) =>
        Guarded(
            disk,
            () =>
            {
                using ParquetRowGroupReader rows = OpenChecked(group, column);
                string?[] strings = new string?[RowsOf(group)];
                Wait(rows.ReadAsync(column, strings.AsMemory()));
                return strings;
            }
        );

    /// <summary>The values of an id column, strings or whole numbers, as text; null for other types.</summary>
    public string?[]? ReadIds(int group, DataField column) =>
        System.Type.GetTypeCode(column.ClrType) switch
        {
            _ when HoldsText(column) => ReadStrings(group, column),
            TypeCode.Int32 => ReadNumbers<int>(group, column),
            TypeCode.Int64 => ReadNumbers<long>(group, column),
            _ => null,
        };

    public void Dispose()
    {
        Wait(reader.DisposeAsync());
        disk.Dispose();
    }

    private string?[] ReadNumbers<T>(int group, DataField column)
        where T : struct, IFormattable =>
        Guarded(
            disk,
            () =>
            {
                using ParquetRowGroupReader rows = OpenChecked(group, column);
                var numbers = new T?[RowsOf(group)];
                Wait(rows.ReadAsync(column, numbers.AsMemory()));
                return Array.ConvertAll(numbers, number => number?.ToString(null, CultureInfo.InvariantCulture));
            }
        );

    /// <summary>Opens a row group whose column is what its pages say.</summary>
    private ParquetRowGroupReader OpenChecked(int group, DataField column)
    {
        ParquetRowGroupReader rows = reader.OpenRowGroupReader(group);
        try
        {
            ColumnMetaData data = MetadataOf(rows, group, column);
            ParquetPages.Check(disk, data, FirstPage(data), MaxColumnBytes);
            return rows;
        }
        catch
        {
            rows.Dispose();
            throw;
        }
    }

    private static ColumnMetaData MetadataOf(ParquetRowGroupReader rows, int group, DataField column) =>
        rows.GetMetadata(column)?.MetaData ?? throw new InvalidDataException($"row group {group} has no column {column.Name}");

    /// <summary>Some writers give a dictionary's offset as 0 where there is none.</summary>
    private static long FirstPage(ColumnMetaData data) =>
        data.DictionaryPageOffset is > 0 and long dictionary ? Math.Min(dictionary, data.DataPageOffset) : data.DataPageOffset;

    /// <summary>Memory is taken by this count before any row is read, so a damaged one must not be believed.</summary>
    private long RowsOf(int group)
    {
        using ParquetRowGroupReader rows = reader.OpenRowGroupReader(group);
        return rows.RowCount >= 0 && rows.RowCount <= MaxRows
            ? rows.RowCount
            : throw new InvalidDataException($"row group {group} says to have {rows.RowCount} rows");
    }

    private static bool IsFlat(Field field) => field is DataField { IsArray: false } && field.SchemaType == SchemaType.Data;

    // The file is on the disk and the package reads synchronously from it; there is nothing to wait for.
    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private static void Wait(ValueTask task) => task.AsTask().GetAwaiter().GetResult();

    private static T Guarded<T>(DiskStream disk, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (disk.Failure is null && exception is not DamagedSourceException)
        {
            // The package trusts the file: damage shows as nearly any exception of the runtime.
            throw new DamagedSourceException("damaged-file", $"{exception.GetType().Name}: {exception.Message}", 0);
        }
    }

    /// <summary>Remembers whether the disk failed, which is no damage of the file.</summary>
    private sealed class DiskStream(SafeFileHandle handle) : Stream
    {
        // Reads at a place of its own. Never closed, as that would close the handle.
        private readonly FileStream file = new(handle, FileAccess.Read) { Position = 0 };

        public IOException? Failure { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => file.Length;

        public override long Position
        {
            get => file.Position;
            set => file.Position = value;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            try
            {
                return file.Read(buffer);
            }
            catch (IOException exception)
            {
                Failure = exception;
                throw;
            }
        }

        public override long Seek(long offset, SeekOrigin origin) => file.Seek(offset, origin);

        public override void Flush() { }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
