using System.Buffers;
using System.Runtime.InteropServices;

namespace ElectraPipeline.Training;

/// <summary>A piece of a text, in an array of the shared pool.</summary>
/// <param name="Number">Its place among the pieces, counted from 0.</param>
/// <param name="Text">The bytes.</param>
internal abstract record TextPiece(int Number, ReadOnlyMemory<byte> Text) : IDisposable
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
