using Parquet;
using Parquet.Schema;

namespace ElectraPipeline.Training.Shards.Exchange;

/// <summary>Examples as a Parquet file: input_ids (a list of int32, without padding) and second_segment_start (int32).</summary>
internal static class ParquetExamples
{
    private const int RowsPerGroup = 65_536;

    private static readonly ParquetSchema Schema = new(
        new ListField("input_ids", new DataField<int>("element")),
        new DataField<int>("second_segment_start")
    );

    public static void Write(ExampleSet set, string path, CancellationToken cancellationToken)
    {
        using var file = new PendingFile(path);
        WriteAsync(set, file.Stream, cancellationToken).GetAwaiter().GetResult();
        file.Commit();
    }

    private static async Task WriteAsync(ExampleSet set, Stream stream, CancellationToken cancellationToken)
    {
        var options = new ParquetOptions { CompressionMethod = CompressionMethod.Zstd };
        await using ParquetWriter writer = await ParquetWriter.CreateAsync(Schema, stream, options, cancellationToken: cancellationToken);
        writer.CustomMetadata = new Dictionary<string, string>
        {
            ["vocabulary_sha256"] = Convert.ToHexStringLower(set.Header.Vocabulary),
            ["sequence_length"] = $"{set.SequenceLength}",
            ["pad_id"] = $"{set.Header.PadId}",
        };
        for (int start = 0; start < set.Count; start += RowsPerGroup)
        {
            ExampleBatch batch = set.Batch(start, RowsPerGroup);
            int[] ids = new int[batch.Lengths.Sum()];
            int[] repetition = new int[ids.Length];
            int[] definition = new int[ids.Length];
            definition.AsSpan().Fill(Schema.DataFields[0].MaxDefinitionLevel); // no list is missing or empty
            int at = 0;
            for (int row = 0; row < batch.BatchSize; row++)
            {
                int length = batch.Lengths[row];
                batch.InputIds.AsSpan(row * batch.SequenceLength, length).CopyTo(ids.AsSpan(at));
                repetition.AsSpan(at + 1, length - 1).Fill(1); // the first id of an example begins a list, the others go on with it
                at += length;
            }

            using ParquetRowGroupWriter group = writer.CreateRowGroup();
            await group.WriteAllPartsAsync<int>(Schema.DataFields[0], ids, definition, repetition, cancellationToken);
            await group.WriteAsync<int>(Schema.DataFields[1], batch.SecondSegmentStarts, cancellationToken: cancellationToken);
        }
    }
}
