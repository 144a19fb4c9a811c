using System.Xml.Linq;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Corpus.Readers;
using Xunit;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

public sealed class DotNetDocsTests
{
    [Fact]
    public void A_type_with_its_members_is_a_document()
    {
        var (documents, rejects) = Read(
            "Sample.xml",
            """
            <?xml version="1.0"?>
            <doc>
              <assembly><name>Sample</name></assembly>
              <members>
                <member name="T:Sample.Box`1">
                  <summary>Holds a <see cref="T:System.Collections.Generic.List`1" /> of items. See
                    <see href="https://example.org">the guide</see>.</summary>
                  <typeparam name="T">The type of the items.</typeparam>
                </member>
                <member name="M:Sample.Box`1.Add``1(System.String,``0)">
                  <summary>Adds <paramref name="item"/>, e.g. <c>null</c>, to <typeparamref name="T"/>.</summary>
                  <param name="item">An item or <see langword="null"/>.
                    <code>box.Add(1);</code></param>
                  <exception cref="T:System.ArgumentException">The item is too large.

             -or-

             The box is full.</exception>
                  <returns>This box.</returns>
                  <seealso cref="T:System.String"/>
                </member>
                <member name="T:Sample.Other"><remarks><para>One thing. Another thing.</para></remarks></member>
                <member name="P:Sample.Undocumented.X"/>
              </members>
            </doc>
            """
        );
        Assert.Empty(rejects);
        Assert.Equal(["Sample.xml:Sample.Box`1", "Sample.xml:Sample.Other"], documents.Select(document => document.Id));
        Assert.Equal(
            [
                "Holds a List of items.",
                "See the guide.",
                "The type of the items.",
                "Adds item, e.g. null, to T.",
                "An item or null.",
                "The item is too large.",
                "The box is full.",
                "This box.",
            ],
            documents[0].Text.Split('\n')
        );
        Assert.Equal("One thing.\nAnother thing.", documents[1].Text);
    }

    [Fact]
    public void A_huge_type_becomes_several_documents()
    {
        string members = string.Concat(
            Enumerable.Range(0, 95).Select(i => $"<member name=\"M:A.Huge.M{i}\"><summary>Sentence number {i}.</summary></member>")
        );
        var (documents, _) = Read(
            "x.xml",
            $"<doc><members>{members}<member name=\"T:A.B\"><summary>Another type.</summary></member></members></doc>"
        );
        Assert.Equal(["x.xml:A.Huge", "x.xml:A.Huge#2", "x.xml:A.Huge#3", "x.xml:A.B"], documents.Select(document => document.Id));
        Assert.Equal([40, 40, 15, 1], documents.Select(document => document.Text.Split('\n').Length));
    }

    [Theory]
    [InlineData("T:System.String", "String")]
    [InlineData("T:System.Collections.Generic.Dictionary`2.Enumerator", "Enumerator")]
    [InlineData("M:System.Array.IndexOf``1(``0[],``0)", "IndexOf")]
    [InlineData("M:System.Text.StringBuilder.#ctor(System.Int32)", "StringBuilder")]
    [InlineData("M:A.B.System#ICloneable#Clone", "Clone")]
    [InlineData("!:unresolved", "unresolved")]
    [InlineData("Plain", "Plain")]
    public void References_become_short_names(string reference, string name) => Assert.Equal(name, XmlDocText.ShortName(reference));

    [Theory]
    [InlineData("One. Two! Three? \"Four.\" Five", "One.|Two!|Three?|\"Four.\"|Five")]
    [InlineData("Use e.g. Foo or i.e. Bar. Then stop.", "Use e.g. Foo or i.e. Bar.|Then stop.")]
    [InlineData("See System.Text.Json vs. others... and so on.", "See System.Text.Json vs. others... and so on.")]
    [InlineData("By J. Smith (ed.). Version 1.2 is new.", "By J. Smith (ed.).|Version 1.2 is new.")]
    [InlineData("Ends in I. Next", "Ends in I.|Next")]
    public void Sentences_end_where_they_should(string paragraph, string expected) =>
        Assert.Equal(expected.Split('|'), SentenceSplitter.Split(paragraph));

    [Fact]
    public void Malformed_xml_keeps_the_types_before_and_names_the_line()
    {
        const string Head =
            "<doc><members>\n<member name=\"T:A.A\"><summary>First type here.</summary></member>\n<member "
            + "name=\"T:A.B\"><summary>Second type here.</summary></member>\n";
        var (documents, rejects) = Read("x.xml", Head + "<member name=\"T:A.C\"><summary>Third</member></members></doc>");
        Assert.Equal("First type here.", documents[0].Text);
        Reject reject = Assert.Single(rejects);
        Assert.Equal(("damaged-file", 4L), (reject.Reason, reject.Line));
    }

    [Fact]
    public void Entities_are_not_expanded()
    {
        var (documents, rejects) = Read(
            "x.xml",
            "<!DOCTYPE doc [<!ENTITY a \"aaaa\">]><doc><members><member name=\"T:A.A\"><summary>&a; b "
                + "c.</summary></member></members></doc>",
            Options() with
            {
                Format = "dotnet-xml-docs",
            }
        );
        Assert.Empty(documents);
        Assert.Contains("DTD", Assert.Single(rejects).Detail);
    }

    [Fact]
    public void Member_kinds_are_distinct_and_unambiguous()
    {
        List<(string Text, string Label, string Group)> rows = DotNetDocs.MemberKinds().ToList();
        Assert.True(rows.Count > 20_000, $"{rows.Count} rows");
        Assert.Equal(rows.Count, rows.Select(row => row.Text).Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.Equal(["event", "field", "method", "property", "type"], rows.Select(row => row.Label).Distinct().Order());
        Assert.All(rows, row => Assert.False(string.IsNullOrWhiteSpace(row.Group)));
        Assert.Contains(
            rows,
            row => row is { Label: "method", Group: "System.Runtime" } && row.Text.StartsWith("Searches for the specified object")
        );

        // Checked against the files themselves: no kept text describes a member of another kind.
        Dictionary<string, string> labels = rows.ToDictionary(row => row.Text, row => row.Label, StringComparer.OrdinalIgnoreCase);
        foreach (
            (string path, _) in DotNetDocs.Files().Where(file => file.Path.EndsWith("System.Collections.xml", StringComparison.Ordinal))
        )
        {
            foreach (XElement member in XDocument.Load(path).Descendants("member"))
            {
                string? text = member.Element("summary") is { } summary ? XmlDocText.Sentences(summary).FirstOrDefault() : null;
                if (text is not null && labels.TryGetValue(text, out string? label))
                {
                    Assert.Equal(((string)member.Attribute("name")!)[0], char.ToUpperInvariant(label[0]));
                }
            }
        }
    }
}
