using System;
using System.IO;
using System.Text;

/// <summary>
/// Reads and edits the GNU symbol version needs (.gnu.version_r) of a 64-bit little-endian ELF shared library.
/// </summary>
/// <remarks>
/// libLibTorchSharp.so names GLIBCXX_3.4.32 (GCC 13), which Debian 12 lacks, although no symbol in it is relocated against that
/// version: the loader refuses the file for a bare record. Marking the record weak (VER_FLG_WEAK) makes the loader accept it,
/// which is what the flag is for. Layout: System V ABI and the Linux Standard Base, "Symbol Versioning".
/// </remarks>
public static class GnuVersionNeed
{
    private const ushort WeakFlag = 0x2;
    private const int SectionTypeVersionNeed = 0x6ffffffe;

    /// <summary>What <see cref="MarkWeak"/> found and did.</summary>
    public enum Outcome
    {
        /// <summary>The record was there and is now weak.</summary>
        Marked,

        /// <summary>The record was weak already.</summary>
        AlreadyWeak,
    }

    /// <summary>Marks the need for <paramref name="version"/> weak in <paramref name="image"/>, in place.</summary>
    /// <exception cref="InvalidDataException">The bytes are no such ELF file, or it does not name that version.</exception>
    public static Outcome MarkWeak(byte[] image, string version)
    {
        if (
            image.Length < 64
            || image[0] != 0x7f
            || image[1] != 'E'
            || image[2] != 'L'
            || image[3] != 'F'
            || image[4] != 2
            || image[5] != 1
        )
        {
            throw new InvalidDataException("not a 64-bit little-endian ELF file");
        }

        long sectionTable = BitConverter.ToInt64(image, 0x28);
        int sectionSize = BitConverter.ToUInt16(image, 0x3a);
        int sectionCount = BitConverter.ToUInt16(image, 0x3c);
        for (int i = 0; i < sectionCount; i++)
        {
            int header = checked((int)(sectionTable + ((long)i * sectionSize)));
            if (BitConverter.ToInt32(image, header + 4) != SectionTypeVersionNeed)
            {
                continue;
            }

            int need = checked((int)BitConverter.ToInt64(image, header + 0x18));
            int strings = StringTableOf(image, sectionTable, sectionSize, header);
            return MarkIn(image, need, strings, version);
        }

        throw new InvalidDataException("the file has no version needs (.gnu.version_r)");
    }

    private static int StringTableOf(byte[] image, long sectionTable, int sectionSize, int header)
    {
        int link = BitConverter.ToInt32(image, header + 0x28);
        int linked = checked((int)(sectionTable + ((long)link * sectionSize)));
        return checked((int)BitConverter.ToInt64(image, linked + 0x18));
    }

    private static Outcome MarkIn(byte[] image, int need, int strings, string version)
    {
        // Verneed: version u16, count u16, file u32, aux u32, next u32. Vernaux: hash u32, flags u16, other u16, name u32, next u32.
        while (true)
        {
            int aux = need + BitConverter.ToInt32(image, need + 8);
            for (int count = BitConverter.ToUInt16(image, need + 2); count > 0; count--)
            {
                if (NameAt(image, strings + BitConverter.ToInt32(image, aux + 8)) == version)
                {
                    ushort flags = BitConverter.ToUInt16(image, aux + 4);
                    if ((flags & WeakFlag) != 0)
                    {
                        return Outcome.AlreadyWeak;
                    }

                    BitConverter.GetBytes((ushort)(flags | WeakFlag)).CopyTo(image, aux + 4);
                    return Outcome.Marked;
                }

                aux += BitConverter.ToInt32(image, aux + 12);
            }

            int next = BitConverter.ToInt32(image, need + 12);
            if (next == 0)
            {
                throw new InvalidDataException("the file does not need version " + version);
            }

            need += next;
        }
    }

    private static string NameAt(byte[] image, int offset)
    {
        int end = Array.IndexOf(image, (byte)0, offset);
        return Encoding.ASCII.GetString(image, offset, end - offset);
    }

    /// <summary>Whether a C++ runtime of this system defines <paramref name="version"/>.</summary>
    public static bool SystemProvides(string version)
    {
        byte[] name = Encoding.ASCII.GetBytes(version + "\0");
        foreach (string folder in new[] { "/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib64", "/lib64", "/usr/lib" })
        {
            string path = Path.Combine(folder, "libstdc++.so.6");
            if (File.Exists(path))
            {
                return IndexOf(File.ReadAllBytes(path), name) >= 0;
            }
        }

        return false;
    }

    private static int IndexOf(byte[] text, byte[] pattern)
    {
        for (
            int i = Array.IndexOf(text, pattern[0]);
            i >= 0 && i <= text.Length - pattern.Length;
            i = Array.IndexOf(text, pattern[0], i + 1)
        )
        {
            int j = 1;
            while (j < pattern.Length && text[i + j] == pattern[j])
            {
                j++;
            }

            if (j == pattern.Length)
            {
                return i;
            }
        }

        return -1;
    }
}

#if !WITHOUT_MSBUILD
/// <summary>MSBuild task: makes libLibTorchSharp.so loadable on systems whose C++ runtime is older than GCC 13's.</summary>
public sealed class MarkGnuVersionWeak : Microsoft.Build.Utilities.Task
{
    [Microsoft.Build.Framework.Required]
    public string File { get; set; }

    [Microsoft.Build.Framework.Required]
    public string NeededVersion { get; set; }

    public override bool Execute()
    {
        if (GnuVersionNeed.SystemProvides(NeededVersion))
        {
            return true;
        }

        try
        {
            byte[] image = System.IO.File.ReadAllBytes(File);
            if (GnuVersionNeed.MarkWeak(image, NeededVersion) == GnuVersionNeed.Outcome.AlreadyWeak)
            {
                return true;
            }

            // A new file under the old name: the old one may be a hard link into the package folder. The time stamp stays, so that
            // the next build's copy step sees nothing to do.
            DateTime stamp = System.IO.File.GetLastWriteTimeUtc(File);
            string temporary = File + ".weak";
            System.IO.File.WriteAllBytes(temporary, image);
            System.IO.File.SetLastWriteTimeUtc(temporary, stamp);
            System.IO.File.Delete(File);
            System.IO.File.Move(temporary, File);
            Log.LogMessage(Microsoft.Build.Framework.MessageImportance.Normal, "Marked the need for {0} weak in {1}.", NeededVersion, File);
            return true;
        }
        catch (Exception e)
            when (e is InvalidDataException || e is IOException || e is UnauthorizedAccessException || e is IndexOutOfRangeException)
        {
            Log.LogError(
                "{0}: cannot mark the need for {1} weak: {2}. The TorchSharp package may have changed; see build/GnuVersionNeed.cs.",
                File,
                NeededVersion,
                e.Message
            );
            return false;
        }
    }
}
#endif
