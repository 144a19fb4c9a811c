using System.IO.Compression;
using ElectraPipeline.Training.Checkpoints.PyTorch;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Checkpoints.PyTorch;

public sealed class PyTorchFileTests : IDisposable
{
    // Written by Python's own pickle module from an ordered dictionary with a view into a storage ("a.weight", from element 2), a
    // transposed view of the same one ("a.turned"), a parameter of half width and a single whole number, and the attribute "_metadata".
    private const string Zipped = """
        UEsDBBQAAAAAADZneF2GdFbGBQIAAAUCAAAQAAAAYXJjaGl2ZS9kYXRhLnBrbIACY2NvbGxlY3Rpb25zCk9yZGVyZWREaWN0CnEAKVJxAShYCAAAAGEud2VpZ2h0cQJjdG
        9yY2guX3V0aWxzCl9yZWJ1aWxkX3RlbnNvcl92MgpxAygoWAcAAABzdG9yYWdlcQRjdG9yY2gKRmxvYXRTdG9yYWdlCnEFWAEAAAAwcQZYAwAAAGNwdXEHSwh0cQhRSwJL
        AksDhnEJSwNLAYZxColoAClScQt0cQxScQ1YCAAAAGEudHVybmVkcQ5oAygoaARoBWgGaAdLCHRxD1FLAksDSwKGcRBLAUsDhnERiWgAKVJxEnRxE1JxFFgIAAAAYi53ZW
        lnaHRxFWN0b3JjaC5fdXRpbHMKX3JlYnVpbGRfcGFyYW1ldGVyCnEWaAMoKGgEY3RvcmNoCkhhbGZTdG9yYWdlCnEXWAEAAAAxcRhoB0sEdHEZUUsASwJLAoZxGksCSwGG
        cRuIaAApUnEcdHEdUnEeiGgAKVJxH4dxIFJxIVgEAAAAc3RlcHEiaAMoKGgEY3RvcmNoCkxvbmdTdG9yYWdlCnEjWAEAAAAycSRoB0sBdHElUUsAKSmJaAApUnEmdHEnUn
        EodX1xKVgJAAAAX21ldGFkYXRhcSpoAClScSsoWAAAAABxLH1xLVgHAAAAdmVyc2lvbnEuSwFzWAEAAABhcS99cTBoLksBc3VzYi5QSwMEFAAAAAAANmd4XYU94xkGAAAA
        BgAAABEAAABhcmNoaXZlL2J5dGVvcmRlcmxpdHRsZVBLAwQUAAAAAAA2Z3hdfEAKeiAAAAAgAAAADgAAAGFyY2hpdmUvZGF0YS8wAAAAAAAAgD8AAABAAABAQAAAgEAAAK
        BAAADAQAAA4EBQSwMEFAAAAAAANmd4XS9aMHUIAAAACAAAAA4AAABhcmNoaXZlL2RhdGEvMQA4AL4AQP97UEsDBBQAAAAAADZneF2b1ivnCAAAAAgAAAAOAAAAYXJjaGl2
        ZS9kYXRhLzL5/////////1BLAwQUAAAAAAA2Z3hd0Z5nVQIAAAACAAAADwAAAGFyY2hpdmUvdmVyc2lvbjMKUEsBAhQDFAAAAAAANmd4XYZ0VsYFAgAABQIAABAAAAAAAA
        AAAAAAAIABAAAAAGFyY2hpdmUvZGF0YS5wa2xQSwECFAMUAAAAAAA2Z3hdhT3jGQYAAAAGAAAAEQAAAAAAAAAAAAAAgAEzAgAAYXJjaGl2ZS9ieXRlb3JkZXJQSwECFAMU
        AAAAAAA2Z3hdfEAKeiAAAAAgAAAADgAAAAAAAAAAAAAAgAFoAgAAYXJjaGl2ZS9kYXRhLzBQSwECFAMUAAAAAAA2Z3hdL1owdQgAAAAIAAAADgAAAAAAAAAAAAAAgAG0Ag
        AAYXJjaGl2ZS9kYXRhLzFQSwECFAMUAAAAAAA2Z3hdm9Yr5wgAAAAIAAAADgAAAAAAAAAAAAAAgAHoAgAAYXJjaGl2ZS9kYXRhLzJQSwECFAMUAAAAAAA2Z3hd0Z5nVQIA
        AAACAAAADwAAAAAAAAAAAAAAgAEcAwAAYXJjaGl2ZS92ZXJzaW9uUEsFBgAAAAAGAAYAbgEAAEsDAAAAAA==
        """;

    // The same in the form before PyTorch 1.6.
    private const string Sequential = """
        gAKKCmz8nEb5IGqoUBkugAJN6QMugAJ9cQAoWBAAAABwcm90b2NvbF92ZXJzaW9ucQFN6QNYDQAAAGxpdHRsZV9lbmRpYW5xAohYCgAAAHR5cGVfc2l6ZXNxA31xBChYBQ
        AAAHNob3J0cQVLAlgDAAAAaW50cQZLBFgEAAAAbG9uZ3EHSwR1dS6AAmNjb2xsZWN0aW9ucwpPcmRlcmVkRGljdApxAClScQEoWAgAAABhLndlaWdodHECY3RvcmNoLl91
        dGlscwpfcmVidWlsZF90ZW5zb3JfdjIKcQMoKFgHAAAAc3RvcmFnZXEEY3RvcmNoCkZsb2F0U3RvcmFnZQpxBVgBAAAAMHEGWAMAAABjcHVxB0sITnRxCFFLAksCSwOGcQ
        lLA0sBhnEKiWgAKVJxC3RxDFJxDVgIAAAAYS50dXJuZWRxDmgDKChoBGgFaAZoB0sITnRxD1FLAksDSwKGcRBLAUsDhnERiWgAKVJxEnRxE1JxFFgIAAAAYi53ZWlnaHRx
        FWN0b3JjaC5fdXRpbHMKX3JlYnVpbGRfcGFyYW1ldGVyCnEWaAMoKGgEY3RvcmNoCkhhbGZTdG9yYWdlCnEXWAEAAAAxcRhoB0sETnRxGVFLAEsCSwKGcRpLAksBhnEbiG
        gAKVJxHHRxHVJxHohoAClScR+HcSBScSFYBAAAAHN0ZXBxImgDKChoBGN0b3JjaApMb25nU3RvcmFnZQpxI1gBAAAAMnEkaAdLAU50cSVRSwApKYloAClScSZ0cSdScSh1
        fXEpWAkAAABfbWV0YWRhdGFxKmgAKVJxKyhYAAAAAHEsfXEtWAcAAAB2ZXJzaW9ucS5LAXNYAQAAAGFxL31xMGguSwFzdXNiLoACXXEAKFgBAAAAMHEBWAEAAAAxcQJYAQ
        AAADJxA2UuCAAAAAAAAAAAAAAAAACAPwAAAEAAAEBAAACAQAAAoEAAAMBAAADgQAQAAAAAAAAAADgAvgBA/3sBAAAAAAAAAPn/////////
        """;

    // A dictionary whose value calls os.system.
    private const string Hostile = """
        UEsDBBQAAAAAADZneF2Ew1XbWAAAAFgAAAAQAAAAYXJjaGl2ZS9kYXRhLnBrbIACY2NvbGxlY3Rpb25zCk9yZGVyZWREaWN0CnEAKVJxAVgBAAAAYXECY3Bvc2l4CnN5c3
        RlbQpxA1gQAAAAdG91Y2ggL3RtcC9wd25lZHEEhXEFUnEGcy5QSwECFAMUAAAAAAA2Z3hdhMNV21gAAABYAAAAEAAAAAAAAAAAAAAAgAEAAAAAYXJjaGl2ZS9kYXRhLnBr
        bFBLBQYAAAAAAQABAD4AAACGAAAAAAA=
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("electra-pytorch").FullName;

    public PyTorchFileTests() => set_num_threads(1);

    private string Bin => Path.Combine(folder, "pytorch_model.bin");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(Zipped)]
    [InlineData(Sequential)]
    public void What_Python_pickled_is_read(string base64)
    {
        using var scope = NewDisposeScope();
        File.WriteAllBytes(Bin, Convert.FromBase64String(base64));
        using PyTorchFile file = PyTorchFile.Open(Bin);
        Assert.Equal(["a.weight", "a.turned", "b.weight", "step"], file.Names);
        Assert.Equal([2f, 3f, 4f, 5f, 6f, 7f], file.Read("a.weight").data<float>().ToArray());
        Assert.Equal([2f, 5f, 3f, 6f, 4f, 7f], file.Read("a.turned").data<float>().ToArray());
        Assert.Equal([3L, 2L], file.Describe("a.turned").Shape);
        Assert.Equal(ScalarType.Float16, file.Read("b.weight").dtype);
        Assert.Equal([0.5f, -1.5f, 2f, 65504f], file.Read("b.weight").to(ScalarType.Float32).data<float>().ToArray());
        Assert.Equal(-7, file.Read("step").item<long>());
        Assert.Empty(file.Describe("step").Shape);
        Assert.Equal("torch.HalfStorage", file.Describe("b.weight").Type);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_written_is_read(bool zip)
    {
        using var scope = NewDisposeScope();
        (string Name, Tensor Tensor)[] tensors = [("embeddings", randn(70, 5)), ("empty", randn(0, 3)), ("bias", randn(5))];
        TorchSaveWriter.Write(Bin, tensors, zip);
        using PyTorchFile file = PyTorchFile.Open(Bin);
        Assert.Equal(tensors.Select(item => item.Name), file.Names);
        Assert.All(tensors, item => Assert.True(item.Tensor.bytes.SequenceEqual(file.Read(item.Name).bytes), item.Name));
    }

    [Fact]
    public void Nothing_in_a_file_is_executed()
    {
        File.WriteAllBytes(Bin, Convert.FromBase64String(Hostile));
        Assert.Contains("calls posix.system, which no state dict needs", Fault());
    }

    [Fact]
    public void Instructions_that_no_state_dict_needs_are_refused_with_their_place()
    {
        WriteZip("archive/data.pkl", [0x80, 2, (byte)'i']);
        Assert.Contains("byte 2: instruction 0x69 is none that a state dict needs", Fault());
        WriteZip("archive/data.pkl", [0x80, 4, (byte)'.']);
        Assert.Contains("byte 0: protocol 4", Fault());
        WriteZip("archive/data.pkl", [0x80, 2, (byte)'K']);
        Assert.Contains("ends before its last instruction", Fault());
        WriteZip("archive/data.pkl", [0x80, 2, (byte)'K', 1, (byte)'.']);
        Assert.Contains("names its tensors on what is no dictionary", Fault());
        WriteZip("archive/data.pkl", [0x80, 2, (byte)'X', 255, 255, 255, 127]);
        Assert.Contains("has a text of 2147483647 bytes", Fault());
        WriteZip("archive/other", [1]);
        Assert.Contains("0 files \"data.pkl\"", Fault());
        File.WriteAllBytes(Bin, [1, 2, 3]);
        Assert.Contains("starts neither as a zip", Fault());
        File.Delete(Bin);
        Assert.Contains("there is no such file", Fault());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_cut_file_is_refused_and_never_read_wrongly(bool zip)
    {
        using var scope = NewDisposeScope();
        TorchSaveWriter.Write(Bin, [("a", randn(4, 4)), ("b", randn(9))], zip);
        byte[] whole = File.ReadAllBytes(Bin);
        for (int length = 0; length < whole.Length; length += 13)
        {
            File.WriteAllBytes(Bin, whole[..length]);
            Assert.StartsWith(Bin, Fault());
        }
    }

    [Fact]
    public void Damaged_values_in_a_zip_are_noticed()
    {
        using var scope = NewDisposeScope();
        Tensor values = arange(1, 65, dtype: ScalarType.Float32);
        TorchSaveWriter.Write(Bin, [("a", values)], zip: true);
        byte[] damaged = File.ReadAllBytes(Bin);
        damaged[damaged.AsSpan().IndexOf(values.bytes) + 100] ^= 4;
        File.WriteAllBytes(Bin, damaged);
        Assert.Contains("tensor \"a\": has checksum", Fault());
    }

    private void WriteZip(string name, byte[] content)
    {
        File.Delete(Bin);
        using ZipArchive archive = ZipFile.Open(Bin, ZipArchiveMode.Create);
        using Stream entry = archive.CreateEntry(name).Open();
        entry.Write(content);
    }

    private string Fault() =>
        Assert
            .Throws<PermanentException>(() =>
            {
                using PyTorchFile file = PyTorchFile.Open(Bin);
                foreach (string name in file.Names)
                {
                    file.Read(name).Dispose();
                }
            })
            .Message;
}
