package dev.plimsoll.replay.score;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.replay.score.Pareto.Point;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

class ParetoTest {
    private static final List<Point> POINTS = List.of(
            new Point("still", 0, 0.60),
            new Point("little", 0.01, 0.94),
            new Point("worse", 0.03, 0.94),
            new Point("much", 0.90, 0.95),
            new Point("twin", 0.01, 0.94));

    @Test
    void onTheFrontIsWhoNobodyBeatsOnBoth() {
        assertThat(Pareto.front(POINTS)).containsExactly(true, true, false, true, true);
    }

    @Test
    void lessMovesOrMoreBalanceAloneBeats() {
        assertThat(Pareto.front(List.of(new Point("a", 0.1, 0.9), new Point("b", 0.2, 0.9))))
                .containsExactly(true, false);
        assertThat(Pareto.front(List.of(new Point("a", 0.1, 0.8), new Point("b", 0.1, 0.9))))
                .containsExactly(false, true);
    }

    @Test
    void theTextShowsEveryLetterWhereItBelongs() {
        List<String> lines = new ParetoChart("title", POINTS).text().lines().toList();

        assertThat(lines.get(1)).startsWith(" 0.9550 |").endsWith("d");
        // 0.60 is below the edge.
        assertThat(lines.get(14)).isEqualTo(" 0.8050 |a");
        // "worse" stands beside the twins, which share one place.
        assertThat(lines.subList(1, 4)).anyMatch(line -> line.contains("#c"));
        assertThat(lines.get(16)).contains("0 %").endsWith("90.0 %");
    }

    @Test
    void pointsThatAreAllEqualCanBeDrawn() {
        ParetoChart chart = new ParetoChart("one", List.of(new Point("static", 0, 0.7)));

        assertThat(chart.text()).contains("|a");
        assertThat(ParetoSvg.of(List.of(chart))).doesNotContain("NaN").doesNotContain("Infinity");
    }

    @Test
    void whatHasNoNumberIsADashInThePictureAndNotOnTheFront() {
        List<Point> points = List.of(new Point("static", 0, 0.7), new Point("unloaded", Double.NaN, Double.NaN));
        ParetoChart chart = new ParetoChart("one", points);

        assertThat(chart.text()).contains("|a").doesNotContain("NaN");
        assertThat(ParetoSvg.of(List.of(chart)))
                .contains("unloaded: –, –")
                .doesNotContain("NaN")
                .doesNotContain("Infinity");
        assertThat(Pareto.front(points)).containsExactly(true, false);
        assertThat(new ParetoChart("none", List.of(points.get(1))).text()).doesNotContain("NaN");
        assertThat(Decimals.text("%.4f", Double.NaN)).isEqualTo("–");
        assertThat(Decimals.text("%.4f", 0.5)).isEqualTo("0.5000");
    }

    @Test
    void thePictureMarksTheFrontAndEscapesNames() throws Exception {
        String svg = ParetoSvg.of(
                List.of(new ParetoChart("a < b & c", POINTS), new ParetoChart("other", List.of(new Point("x", 0, 1)))));

        Document document = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
        NodeList circles = document.getElementsByTagName("circle");
        assertThat(circles.getLength()).isEqualTo(2 * 6);
        assertThat(((Element) circles.item(2)).getAttribute("fill")).isEqualTo("#1f77b4");
        assertThat(((Element) circles.item(4)).getAttribute("fill")).isEqualTo("white");
        assertThat(svg).contains(">a &lt; b &amp; c</text>").contains(">b  little: 0.9400, 1.00 %</text>");
        // Letters of twins do not cover each other.
        NodeList texts = document.getElementsByTagName("text");
        assertThat(height(texts, "b")).isNotEqualTo(height(texts, "e"));
    }

    private static String height(NodeList texts, String content) {
        for (int i = 0; i < texts.getLength(); i++) {
            if (texts.item(i).getTextContent().equals(content)) {
                return ((Element) texts.item(i)).getAttribute("y");
            }
        }
        throw new AssertionError("no label " + content);
    }
}
