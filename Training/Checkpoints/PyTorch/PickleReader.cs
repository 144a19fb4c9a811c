using System.Buffers.Binary;
using System.Text;

namespace ElectraPipeline.Training.Checkpoints.PyTorch;

/// <summary>
/// Reads the pickles of state dicts. A pickle is a program for a stack machine that may name any function of Python and call it; this
/// machine knows the instructions that containers, texts and numbers need, and hands every class, call and outside object to
/// <see cref="StateDictObjects"/>, which knows those of tensors and refuses all others.
/// </summary>
internal sealed class PickleReader(Stream stream)
{
    private const int LongestText = 1 << 20;
    private const int MostInstructions = 50_000_000;
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly object Mark = new();
    private readonly List<object?> stack = [];
    private readonly Dictionary<uint, object?> memo = [];

    /// <summary>Reads one pickle and stops behind it.</summary>
    /// <exception cref="InvalidDataException">It is malformed, or does what a state dict does not.</exception>
    public object? Read()
    {
        stack.Clear();
        memo.Clear();
        for (int count = 0; count < MostInstructions; count++)
        {
            long at = stream.Position;
            byte code = Byte();
            if (code == '.')
            {
                return stack.Count == 1 ? stack[0] : throw new InvalidDataException($"leaves {stack.Count} values on its stack");
            }

            try
            {
                Do(code);
            }
            catch (InvalidDataException fault)
            {
                throw new InvalidDataException($"byte {at}: {fault.Message}", fault);
            }
        }

        throw new InvalidDataException($"has more than {MostInstructions} instructions");
    }

    private void Do(byte code)
    {
        switch ((char)code)
        {
            case '\x80':
                Protocol(Byte());
                break;
            case 'N':
                Push(null);
                break;
            case '\x88':
                Push(true);
                break;
            case '\x89':
                Push(false);
                break;
            case 'K':
                Push((long)Byte());
                break;
            case 'M':
                Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
                break;
            case 'J':
                Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
                break;
            case '\x8a':
                Push(LongNumber());
                break;
            case 'G':
                Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
                break;
            case 'X':
                Push(Text(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))));
                break;
            case '\x8c':
                Push(Text(Byte()));
                break;
            case 'c':
                Push(new PickleGlobal(Line(), Line()));
                break;
            default:
                DoContainer(code);
                break;
        }
    }

    private void DoContainer(byte code)
    {
        switch ((char)code)
        {
            case '(':
                Push(Mark);
                break;
            case ')':
                Push(Array.Empty<object?>());
                break;
            case ']':
                Push(new List<object?>());
                break;
            case '}':
                Push(new OrderedDictionary<string, object?>(StringComparer.Ordinal));
                break;
            case 't':
                Push(PopToMark());
                break;
            case '\x85':
                Push(PopMany(1));
                break;
            case '\x86':
                Push(PopMany(2));
                break;
            case '\x87':
                Push(PopMany(3));
                break;
            case 'a':
                Append(PopMany(1));
                break;
            case 'e':
                Append(PopToMark());
                break;
            case 's':
                SetItems(PopMany(2));
                break;
            case 'u':
                SetItems(PopToMark());
                break;
            case 'q':
                memo[Byte()] = Peek();
                break;
            case 'r':
                memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Peek();
                break;
            case 'h':
                Push(Remembered(Byte()));
                break;
            case 'j':
                Push(Remembered(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))));
                break;
            default:
                DoObject(code);
                break;
        }
    }

    private void DoObject(byte code)
    {
        switch ((char)code)
        {
            case 'Q':
                Push(StateDictObjects.Outside(Pop()));
                break;
            case 'R':
                object? arguments = Pop();
                Push(StateDictObjects.Call(Pop(), arguments));
                break;
            case 'b':
                _ = Pop(); // an ordered dictionary's attributes: versions of modules, which say nothing about values
                StateDictObjects.RequireDictionary(Peek(), "has attributes set");
                break;
            default:
                throw new InvalidDataException(
                    $"instruction 0x{code:x2} is none that a state dict needs; save the model as safetensors if this is one"
                );
        }
    }

    private static void Protocol(byte version)
    {
        if (version is < 2 or > 3)
        {
            throw new InvalidDataException($"protocol {version} is not what PyTorch writes (2)");
        }
    }

    private void Push(object? value) => stack.Add(value);

    private object? Pop()
    {
        object? value = Peek();
        stack.RemoveAt(stack.Count - 1);
        return value;
    }

    private object? Peek() =>
        stack.Count > 0 && !ReferenceEquals(stack[^1], Mark)
            ? stack[^1]
            : throw new InvalidDataException("takes a value off an empty stack");

    private object?[] PopMany(int count)
    {
        object?[] values = new object?[count];
        for (int i = count - 1; i >= 0; i--)
        {
            values[i] = Pop();
        }

        return values;
    }

    private object?[] PopToMark()
    {
        int mark = stack.FindLastIndex(value => ReferenceEquals(value, Mark));
        if (mark < 0)
        {
            throw new InvalidDataException("closes a list that was not opened");
        }

        object?[] values = [.. stack[(mark + 1)..]];
        stack.RemoveRange(mark, stack.Count - mark);
        return values;
    }

    private void Append(object?[] values)
    {
        if (Peek() is not List<object?> list)
        {
            throw new InvalidDataException("appends to what is no list");
        }

        list.AddRange(values);
    }

    private void SetItems(object?[] pairs)
    {
        OrderedDictionary<string, object?> dictionary = StateDictObjects.RequireDictionary(Peek(), "has items set");
        if (pairs.Length % 2 != 0)
        {
            throw new InvalidDataException("sets a key without a value");
        }

        for (int i = 0; i < pairs.Length; i += 2)
        {
            dictionary[pairs[i] as string ?? throw new InvalidDataException($"has the key {pairs[i]}, which is no text")] = pairs[i + 1];
        }
    }

    private object? Remembered(uint key) =>
        memo.TryGetValue(key, out object? value) ? value : throw new InvalidDataException($"recalls value {key}, which it did not keep");

    private long LongNumber()
    {
        int length = Byte();
        if (length > 8)
        {
            throw new InvalidDataException($"has a number of {length} bytes");
        }

        long value = 0;
        byte last = 0;
        for (int i = 0; i < length; i++)
        {
            last = Byte();
            value |= (long)last << (8 * i);
        }

        bool isNegative = length is > 0 and < 8 && last >= 0x80;
        return isNegative ? value - (1L << (8 * length)) : value;
    }

    private string Text(uint length)
    {
        if (length > LongestText)
        {
            throw new InvalidDataException($"has a text of {length} bytes");
        }

        try
        {
            return StrictUtf8.GetString(Take((int)length));
        }
        catch (DecoderFallbackException fault)
        {
            throw new InvalidDataException("has a text that is not UTF-8", fault);
        }
    }

    private string Line()
    {
        StringBuilder line = new();
        for (byte value = Byte(); value != '\n'; value = Byte())
        {
            line.Append(
                line.Length < 200 && value is >= 0x20 and < 0x7F
                    ? (char)value
                    : throw new InvalidDataException("names a class in more than 200 letters, or others than plain ones")
            );
        }

        return line.ToString();
    }

    private byte Byte()
    {
        int value = stream.ReadByte();
        return value >= 0 ? (byte)value : throw new InvalidDataException("ends before its last instruction");
    }

    private byte[] Take(int count)
    {
        byte[] bytes = new byte[count];
        return stream.ReadAtLeast(bytes, count, throwOnEndOfStream: false) == count
            ? bytes
            : throw new InvalidDataException("ends inside an instruction");
    }
}
