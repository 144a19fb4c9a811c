using System.Buffers;
using System.Runtime.InteropServices;

namespace ElectraPipeline.Training;

/// <summary>Bytes in an array of the shared pool.</summary>
/// <param name="Text">The bytes.</param>
internal abstract record PooledText(ReadOnlyMemory<byte> Text) : IDisposable
{
    /// <summary>Gives the array back; nothing may look at the bytes any more.</summary>
    public void Dispose()
    {
        if (MemoryMarshal.TryGetArray(Text, out ArraySegment<byte> segment))
        {
            ArrayPool<byte>.Shared.Return(segment.Array!);
        }
    }
}
