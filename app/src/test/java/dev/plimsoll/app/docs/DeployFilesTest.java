package dev.plimsoll.app.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.app.registry.Catalogue;
import dev.plimsoll.wire.WireSchema;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What files for tools of others say of our topics. */
final class DeployFilesTest {
    private static final Pattern COLUMN = Pattern.compile("`(\\w+)`");
    private static final Pattern TABLE = Pattern.compile("(?:FROM|TABLE) (\\w+)");

    @Test
    void queriesOfFlinkAskForColumnsAndTablesThatThereAre() {
        String tables = Documents.read(Documents.ROOT.resolve("deploy/flink/tables.sql"));
        String queries = Documents.read(Documents.ROOT.resolve("deploy/flink/queries.sql"));

        List<String> columns = COLUMN.matcher(queries)
                .results()
                .map(found -> found.group())
                .distinct()
                .toList();
        assertThat(columns).isNotEmpty();
        assertThat(tables).contains(columns);
        assertThat(TABLE.matcher(queries).results().map(found -> found.group(1)).filter(name -> !name.equals("TABLE")))
                .isNotEmpty()
                .allSatisfy(name -> assertThat(tables).contains("CREATE TABLE " + name + " ("));
    }

    @Test
    void theSinkOfConnectReadsTopicsOfOneKind() throws Exception {
        JsonNode config = new ObjectMapper()
                .readTree(Documents.read(Documents.ROOT.resolve("deploy/connect/windows-s3.json")))
                .get("config");

        for (String topic : config.get("topics").asText().split(",")) {
            List<WireSchema> versions =
                    new Catalogue().subject(topic + "-value").orElseThrow().versions();
            assertThat(versions.stream().map(WireSchema::record).distinct())
                    .as(topic)
                    .hasSize(1);
        }
        assertThat(config.get("consumer.override.isolation.level").asText()).isEqualTo("read_committed");
    }
}
