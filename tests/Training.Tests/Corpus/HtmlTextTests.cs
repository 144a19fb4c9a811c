using ElectraPipeline.Training.Corpus.Readers;
using Xunit;

namespace ElectraPipeline.Training.Tests.Corpus;

public sealed class HtmlTextTests
{
    [Theory]
    [InlineData("<p>One <b>bold</b>\n word.<p>Two.", "One bold word.\nTwo.")]
    [InlineData("a<br>b<br/>c", "a\nb\nc")]
    [InlineData("<ul><li>x<li>y</ul>z", "x\ny\nz")]
    [InlineData("<table><tr><td>a</td><td>b</td></tr><tr><th>c<th>d</table>", "a b\nc d")]
    [InlineData("a &amp; b &lt;c&gt; &#233;&#x1F600;&nbsp;&eacute; &unknown;", "a & b <c> é😀\u00A0é &unknown;")]
    [InlineData("1 < 2 and <3", "1 < 2 and <3")]
    [InlineData("a<!-- b > c --->d<!DOCTYPE x>e<?php f ?>g", "adeg")]
    [InlineData("<script>if (a<b && c) { x = '</div>'; }</script>t", "t")]
    [InlineData("<style>p > b { }</style><textarea><p>no</textarea>t", "t")]
    [InlineData("<head><title>T</title><meta content='>'></head><body>t</body>", "t")]
    [InlineData("<head><title>T</title><script>s</script><body>t", "t")]
    [InlineData("<nav>menu<div>more</div></nav>t<footer>f</footer>", "t")]
    [InlineData("<div hidden>x<div>y</div>z</div>t", "t")]
    [InlineData("<div style='color:red; display : none'>x</div><span aria-hidden=\"true\">y</span><i role=navigation>z</i>t", "t")]
    [InlineData("<body hidden>t</body>", "t")]
    [InlineData("<nav>never closed<p>t", "never closed\nt")]
    [InlineData("<script>never closed<p>t", "never closed\nt")]
    [InlineData("<nav><form>x</nav>t", "t")]
    [InlineData("<a href='x>y' title=\"a>b\" data=c>t</a>", "t")]
    [InlineData("<P>T<BR>U</P><SCRIPT>s</Script>", "T\nU")]
    [InlineData("<p", "")]
    [InlineData("<p a=\"", "")]
    [InlineData("", "")]
    public void Text_is_what_a_reader_sees(string html, string expected) => Assert.Equal(expected, HtmlText.Extract(html));

    [Theory]
    [InlineData("<div>")]
    [InlineData("<div hidden>")]
    [InlineData("<font a>")]
    [InlineData("<script>")]
    [InlineData("<!--")]
    [InlineData("<a b=\"")]
    [InlineData("</p><nav><b>")]
    [InlineData("&")]
    [InlineData("<")]
    public void Hostile_pages_take_time_in_proportion_to_their_length(string piece) =>
        Assert.NotNull(HtmlText.Extract(string.Concat(Enumerable.Repeat(piece, 400_000))));
}
