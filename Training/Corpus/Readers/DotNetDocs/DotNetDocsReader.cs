using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>
/// XML documentation files of .NET assemblies: a document is one type with the texts of its members, a line is a sentence of a
/// summary, remarks, param, typeparam, returns, value or exception element. A type with more than 40 sentences becomes several
/// documents ("...:Type#2"): else a few huge types (hardware intrinsics) would make up a part, or all of the held-out text.
/// </summary>
/// <remarks>One member is in memory at a time. Document type definitions are refused: nothing is fetched and nothing expands.</remarks>
internal sealed class DotNetDocsReader : IDocumentReader
{
    private const int MaxSentences = 40;

    private static readonly HashSet<string> Prose = ["summary", "remarks", "param", "typeparam", "returns", "value", "exception"];

    public string Format => "dotnet-xml-docs";

    /// <summary>None: ".xml" says nothing about the vocabulary inside, so the content decides.</summary>
    public IReadOnlyList<string> Extensions { get; } = [];

    public bool RepeatsLines => true;

    public Recognition Recognize(ReadOnlySpan<byte> head) => XmlSource.HasRoot(head, "doc"u8) ? Recognition.Certain : Recognition.No;

    public IEnumerable<ReadRecord> Read(SourceContent content, CorpusOptions options)
    {
        string? type = null;
        int number = 1;
        int sentences = 0;
        var text = new StringBuilder();
        foreach ((string owner, string sentence) in Sentences(content.Stream))
        {
            if (text.Length > 0 && (owner != type || sentences == MaxSentences))
            {
                yield return Finish(text, content.Name, type!, number);
                number = owner == type ? number + 1 : 1;
                sentences = 0;
            }

            type = owner;
            sentences++;
            text.Append(sentence).Append('\n');
        }

        if (text.Length > 0)
        {
            yield return Finish(text, content.Name, type!, number);
        }
    }

    /// <summary>The member elements with a name, in file order.</summary>
    internal static IEnumerable<XElement> Members(Stream stream)
    {
        var bounded = new RecordBoundStream(stream);
        using XmlReader xml = XmlSource.Open(bounded);
        xml.MoveToContent();
        bool more = xml.Read();
        while (more)
        {
            if (xml.NodeType == XmlNodeType.Element && xml.LocalName == "member" && xml.Depth <= 2)
            {
                bounded.BeginRecord();

                // ReadFrom leaves the reader on the node after the member.
                var member = (XElement)XNode.ReadFrom(xml);
                if (((string?)member.Attribute("name"))?.Length > 2)
                {
                    yield return member;
                }

                more = !xml.EOF;
            }
            else
            {
                more = xml.Read();
            }
        }
    }

    private static IEnumerable<(string Type, string Sentence)> Sentences(Stream stream) =>
        from member in Members(stream)
        from element in member.Elements()
        where Prose.Contains(element.Name.LocalName)
        from sentence in XmlDocText.Sentences(element)
        select (TypeOf((string)member.Attribute("name")!), sentence);

    private static Document Finish(StringBuilder text, string source, string type, int number) =>
        new($"{source}:{type}{(number > 1 ? $"#{number}" : "")}", DocumentText.Finish(text), source);

    /// <summary>"M:System.Array.Sort(System.Array)" belongs to "System.Array", "T:System.Array" to itself.</summary>
    private static string TypeOf(string member)
    {
        int end = member.IndexOf('(');
        string name = member[2..(end < 0 ? member.Length : end)];
        int dot = name.LastIndexOf('.');
        return member[0] == 'T' || dot < 0 ? name : name[..dot];
    }
}
