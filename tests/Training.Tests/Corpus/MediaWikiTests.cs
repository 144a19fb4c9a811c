using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Corpus.Readers;
using Xunit;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

public sealed class MediaWikiTests
{
    [Theory]
    [InlineData("'''Bold''' and ''italic'' and '''''both''''' isn't", "Bold and italic and both isn't")]
    [InlineData("[[Target]] [[Target|label]] [[a (b)|c]]s [[:Category:X]]", "Target label cs Category:X")]
    [InlineData("[[File:a.jpg|thumb|A [[link]] caption]]x[[Category:Y| ]][[de:Titel]][[Datei:b.png]]", "x")]
    [InlineData("[[simple:X]][[zh-yue:X]][[Alien: Covenant]]", "Alien: Covenant")]
    [InlineData("a {{t|b={{u|{{{1}}}}}}} c", "a c")]
    [InlineData("a {{{{{1}}}|x}} b {{{2|}}} c", "a b c")]
    [InlineData("a {{never closed [[b]] c", "a never closed b c")]
    [InlineData("a [[never closed {{b}} c\n\nd ]] e", "a never closed c\nd ]] e")]
    [InlineData("a }} b", "a b")]
    [InlineData("before\n{| class=x\n! h\n|-\n| {{t}} || [[c|d]]\n{|\n| inner\n|}\n|}\nafter", "before\nafter")]
    [InlineData("a<ref>b</ref>c<ref name=\"x\" />d<ref name=y>e</ref >f", "acdf")]
    [InlineData("a<!-- b -->c<br />d<small>e</small><math>x</math>f", "ac\ndef")]
    [InlineData("<nowiki>[[raw]] {{x}}</nowiki> 1 < 2", "[[raw]] {{x}} 1 < 2")]
    [InlineData("<ref>never closed a", "never closed a")]
    [InlineData("== H ==\ntext\n=== Empty ===\n== Next ==\n{{t}}\n== Last ==", "H\ntext")]
    [InlineData("== H ==\n=== Sub ===\ntext", "H\nSub\ntext")]
    [InlineData("* a\n** b\n# c\n; d : e\n: f\n----\n__NOTOC__", "a\nb\nc\nd : e\nf")]
    [InlineData("[http://x.y/z?a=b label text] [https://x.y] [not a link]", "label text [not a link]")]
    [InlineData("Berlin ({{IPA|x}}; {{y}}) is &amp; was&nbsp;({{z}}, old) .", "Berlin is & was (old).")]
    [InlineData("{{a\n|b={|\n|}\n}}c", "c")]
    [InlineData("", "")]
    public void Wikitext_becomes_running_text(string source, string expected)
    {
        var namespaces = new WikiNamespaces();
        namespaces.Add("6", "Datei");
        Assert.Equal(expected, DocumentText.Normalize(WikiText.ToPlain(source, namespaces)));
    }

    [Theory]
    [InlineData("[[")]
    [InlineData("{{")]
    [InlineData("{|\n")]
    [InlineData("\n{|{{[[")]
    [InlineData("<ref>")]
    [InlineData("<!-")]
    [InlineData("[[a|")]
    [InlineData("{{}}")]
    [InlineData("'")]
    [InlineData("[http://a ")]
    [InlineData("}}|}]]")]
    [InlineData("==\n")]
    [InlineData("(")]
    public void Hostile_wikitext_takes_time_in_proportion_to_its_length(string piece) =>
        Assert.NotNull(WikiText.ToPlain(string.Concat(Enumerable.Repeat(piece, 200_000)), new WikiNamespaces()));

    [Fact]
    public void A_real_dump_gives_its_articles()
    {
        string path = SharedData.Require("data/formats/mediawiki/enwiki-pages-articles1-shortened.xml.bz2");
        var (documents, rejects) = Read(path);
        Assert.Empty(rejects);
        Assert.Equal(106, documents.Count);
        Assert.Equal(new Dictionary<string, int> { ["redirect"] = 99, ["other-namespace"] = 1 }, Skips(path));
        Assert.Equal("12", documents[0].Id);
        Assert.StartsWith(
            "Anarchism is a political philosophy that advocates self-governed societies based on voluntary institutions. These are",
            documents[0].Text
        );
        foreach (string markup in (string[])["{{", "}}", "[[", "]]", "{|", "<ref", "''", "&nbsp;"])
        {
            Assert.DoesNotContain(documents, document => document.Text.Contains(markup, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_page_is_read_from_its_last_revision_and_what_is_no_article_is_skipped()
    {
        string xml = """
            <mediawiki version="0.10" xml:lang="de">
            <siteinfo><namespaces><namespace key="0" /><namespace key="10">Vorlage</namespace></namespaces></siteinfo>
            <page><title>A</title><ns>0</ns><id>7</id>
            <revision><id>1</id><text>old</text></revision>
            <revision><id>2</id><contributor><id>9</id></contributor>
            <text xml:space="preserve">new &amp; &lt;b&gt;bold&lt;/b&gt;</text></revision></page>
            <page><title>Vorlage:B</title><id>8</id><revision><text>x</text></revision></page>
            <page><title>C</title><ns>1</ns><revision><text>x</text></revision></page>
            <page><title>D</title><ns>0</ns><redirect title="A" /><revision><text>x</text></revision></page>
            <page><title>E</title><ns>0</ns><revision><text>#redirect [[A]]</text></revision></page>
            <page><title>F</title><ns>0</ns><revision><model>css</model><text>x</text></revision></page>
            <page><title>G</title><ns>0</ns><revision><text deleted="deleted" /></revision></page>
            <page><title>H</title><ns>0</ns><revision><text>LONG</text></revision></page>
            </mediawiki>
            """.Replace("LONG", new string('x', 2_000), StringComparison.Ordinal);
        using var folder = new TemporaryFolder();
        string path = folder.Write("w.xml", xml);
        CorpusOptions options = Options(path) with { MaxDocumentBytes = 1_000 };
        var (documents, rejects) = Read(path, options);
        Assert.Equal([new Document("7", "new & bold", "w.xml")], documents);
        Assert.Equal(
            new Dictionary<string, int>
            {
                ["other-namespace"] = 2,
                ["redirect"] = 2,
                ["not-wikitext"] = 1,
            },
            Skips(path, options)
        );
        Assert.Equal(["no-text", "record-too-large"], rejects.Select(reject => reject.Reason));
        Assert.Equal([12L, 13L], rejects.Select(reject => reject.Line));
    }

    [Fact]
    public void A_dump_cut_short_gives_the_pages_before_the_cut()
    {
        string xml =
            "<mediawiki>"
            + string.Concat(
                Enumerable
                    .Range(0, 500)
                    .Select(i => $"<page><title>P{i}</title><ns>0</ns><id>{i}</id><revision><text>Text {i}.</text></revision></page>\n")
            );
        var (documents, rejects) = Read("w.xml", xml);
        Assert.Equal(500, documents.Count);
        Assert.Equal("damaged-file", Assert.Single(rejects).Reason);
    }

    [Theory]
    [InlineData(
        "<!DOCTYPE mediawiki [<!ENTITY a \"x\"><!ENTITY b \"&a;&a;&a;&a;\">]><mediawiki><page><title>&b;</title></page></mediawiki>"
    )]
    [InlineData("<!DOCTYPE mediawiki SYSTEM \"file:///etc/passwd\"><mediawiki/>")]
    public void Document_type_definitions_are_refused(string xml)
    {
        var (documents, rejects) = Read("w.xml", xml, Options() with { Format = "mediawiki" });
        Assert.Empty(documents);
        Assert.Contains("DTD", Assert.Single(rejects).Detail);
    }
}
