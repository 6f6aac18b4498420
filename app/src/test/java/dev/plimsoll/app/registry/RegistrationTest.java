package dev.plimsoll.app.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.app.registry.Catalogue.Subject;
import dev.plimsoll.app.registry.Registration.Finding;
import dev.plimsoll.app.registry.Registration.State;
import dev.plimsoll.wire.WireSchema;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Our schemas come into a registry of others under their own ids, or not at all. */
final class RegistrationTest {
    private static final String WINDOWS = "plimsoll.windows.v1-value";
    private static final String OTHER = "{\"type\":\"record\",\"name\":\"Order\",\"fields\":[]}";

    private final Catalogue catalogue = new Catalogue();

    private Registration to(FakeRegistry registry) {
        return new Registration(catalogue, RegistryAccess.of(Optional.of(registry.url()), Map.of()));
    }

    private int all() {
        return catalogue.subjects().stream()
                .mapToInt(subject -> subject.versions().size())
                .sum();
    }

    @Test
    void lookingChangesNothing() throws Exception {
        try (FakeRegistry registry = new FakeRegistry()) {
            List<Finding> findings = to(registry).look();

            assertThat(findings).hasSize(all()).extracting(Finding::state).containsOnly(State.MISSING);
            assertThat(registry.writes()).isEmpty();
        }
    }

    @Test
    void everySchemaIsRegisteredUnderTheIdAndVersionThatItHasWithUs() throws Exception {
        try (FakeRegistry registry = new FakeRegistry()) {
            Registration registration = to(registry);
            registration.register(registration.look(), () -> false);

            for (Subject subject : catalogue.subjects()) {
                assertThat(registry.ids(subject.name()))
                        .as(subject.name())
                        .isEqualTo(
                                subject.versions().stream().map(WireSchema::id).toList());
                assertThat(registry.compatibilities).containsEntry(subject.name(), subject.compatibility());
            }
            assertThat(registry.subjects).hasSize(catalogue.subjects().size());
            assertThat(registry.modes).as("what is left of the mode IMPORT").isEmpty();
        }
    }

    @Test
    void registeringAgainFindsAllThereAndDoesNothing() throws Exception {
        try (FakeRegistry registry = new FakeRegistry()) {
            Registration registration = to(registry);
            registration.register(registration.look(), () -> false);
            int writes = registry.writes().size();

            List<Finding> findings = registration.look();
            registration.register(findings, () -> false);

            assertThat(findings).extracting(Finding::state).containsOnly(State.THERE);
            assertThat(registry.writes()).hasSize(writes);
        }
    }

    @Test
    void whatALaterReleaseAddsComesBesideWhatIsThere() throws Exception {
        try (FakeRegistry registry = new FakeRegistry()) {
            for (Subject subject : catalogue.subjects()) {
                WireSchema first = subject.versions().get(0);
                registry.put(subject.name(), 1, first.id(), first.json());
            }
            Registration registration = to(registry);
            registration.register(registration.look(), () -> false);

            assertThat(registry.ids(WINDOWS)).containsExactly(170005, 170020, 170024);
            assertThat(registry.modes).isEmpty();
        }
    }

    @Test
    void anIdThatSomebodyElseHasIsSaidAndNothingIsWritten() throws Exception {
        try (FakeRegistry registry = new FakeRegistry()) {
            registry.put("orders-value", 3, 170020, OTHER);
            Registration registration = to(registry);

            List<Finding> findings = registration.look();

            assertThat(findings)
                    .filteredOn(finding -> finding.state() == State.TAKEN)
                    .singleElement()
                    .satisfies(finding -> {
                        assertThat(finding.schema().id()).isEqualTo(170020);
                        assertThat(finding.detail()).contains("170020").endsWith("orders-value 3");
                    });
            assertThatThrownBy(() -> registration.register(findings, () -> false))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(registry.writes()).isEmpty();
        }
    }

    /** As a producer with auto.register.schemas leaves it behind. */
    @Test
    void aVersionThatHasAnotherIdThereIsTaken() throws Exception {
        try (FakeRegistry registry = new FakeRegistry()) {
            registry.put(WINDOWS, 1, 7, catalogue.schema(170005).orElseThrow().json());

            assertThat(to(registry).look())
                    .filteredOn(finding -> finding.state() == State.TAKEN)
                    .singleElement()
                    .extracting(Finding::detail)
                    .isEqualTo("version 1 has the id 7 there");
        }
    }

    @Test
    void aSchemaInTheRegistrysOwnWritingIsOurs() throws Exception {
        try (FakeRegistry registry = new FakeRegistry()) {
            registry.put(
                    "plimsoll.samples.v1-value",
                    3,
                    170003,
                    catalogue.schema(170003).orElseThrow().json().replace("\"string\"", "{\"type\": \"string\"}"));

            assertThat(to(registry).look())
                    .filteredOn(finding -> finding.schema().id() == 170003)
                    .extracting(Finding::state)
                    .containsExactlyInAnyOrder(State.MISSING, State.THERE);
        }
    }

    @Test
    void aSubjectIsGivenItsModeBackWhateverHappens() throws Exception {
        try (FakeRegistry registry = new FakeRegistry()) {
            registry.modes.put(WINDOWS, "READONLY");
            registry.failsAt = Optional.of(170020);
            Registration registration = to(registry);

            assertThatThrownBy(() -> registration.register(registration.look(), () -> false))
                    .isInstanceOf(RegistryException.class)
                    .hasMessageContaining("500");

            assertThat(registry.modes).isEqualTo(Map.of(WINDOWS, "READONLY"));
            registry.failsAt = Optional.empty();
            registration.register(registration.look(), () -> false);
            assertThat(registry.ids(WINDOWS)).hasSize(3);
            assertThat(registry.modes).isEqualTo(Map.of(WINDOWS, "READONLY"));
        }
    }

    @Test
    void aRegistryThatTakesNoModeAwayIsGivenTheUsualOne() throws Exception {
        try (FakeRegistry registry = new FakeRegistry()) {
            registry.deletesModes = false;
            Registration registration = to(registry);
            registration.register(registration.look(), () -> false);

            assertThat(registry.modes.values()).isNotEmpty().containsOnly("READWRITE");
        }
    }

    @Test
    void aRegistryThatLetsNobodyChangeModesIsLeftAsItIs() throws Exception {
        try (FakeRegistry registry = new FakeRegistry()) {
            registry.mutableModes = false;
            Registration registration = to(registry);
            List<Finding> findings = registration.look();

            assertThatThrownBy(() -> registration.register(findings, () -> false))
                    .isInstanceOf(RegistryException.class)
                    .hasMessageContaining("42205 Mode changes are not allowed")
                    .hasMessageContaining("plimsoll registry");
            assertThat(registry.subjects).isEmpty();
        }
    }

    @Test
    void aRegistryWithoutModesIsToldApartBeforeAnythingIsWritten() throws Exception {
        try (FakeRegistry registry = new FakeRegistry()) {
            registry.hasModes = false;

            assertThatThrownBy(() -> to(registry).look())
                    .isInstanceOf(RegistryException.class)
                    .hasMessageContaining("GET /mode")
                    .hasMessageContaining("plimsoll registry");
            assertThat(registry.writes()).isEmpty();
        }
    }

    @Test
    void aRegistryThatGivesIdsOfItsOwnIsFoundOutAtTheFirst() throws Exception {
        try (FakeRegistry registry = new FakeRegistry()) {
            registry.countsIds = true;
            Registration registration = to(registry);

            assertThatThrownBy(() -> registration.register(registration.look(), () -> false))
                    .isInstanceOf(RegistryException.class)
                    .hasMessageContaining("was given the id 1 instead of 170009");
            assertThat(registry.subjects).hasSize(1);
            assertThat(registry.modes).isEmpty();
        }
    }

    @Test
    void aStopComesBetweenRequestsAndLeavesNoModeBehind() throws Exception {
        try (FakeRegistry registry = new FakeRegistry()) {
            Registration registration = to(registry);
            List<Finding> findings = registration.look();

            assertThatThrownBy(() -> registration.register(
                            findings,
                            () -> registry.subjects
                                            .getOrDefault(WINDOWS, new TreeMap<>())
                                            .size()
                                    == 2))
                    .isInstanceOf(RegistryException.class)
                    .hasMessageContaining("doing it again");

            assertThat(registry.ids(WINDOWS)).hasSize(2);
            assertThat(registry.modes).isEmpty();
        }
    }

    @Test
    void whatIsNoRegistryIsSaid() {
        try (FakeRegistry registry = new FakeRegistry()) {
            Registration registration = new Registration(
                    catalogue, RegistryAccess.of(Optional.of(registry.url() + "/somewhere/else"), Map.of()));

            assertThatThrownBy(registration::look)
                    .isInstanceOf(RegistryException.class)
                    .hasMessageContaining("no schema registry");
        }
    }

    @Test
    void nobodyThereIsUnreachable() {
        String url;
        try (FakeRegistry registry = new FakeRegistry()) {
            url = registry.url();
        }
        assertThatThrownBy(() -> new Registration(catalogue, RegistryAccess.of(Optional.of(url), Map.of())).look())
                .isInstanceOfSatisfying(RegistryException.class, failure -> {
                    assertThat(failure.kind()).isEqualTo(RegistryException.Kind.UNREACHABLE);
                    assertThat(failure).hasMessageContaining("nobody listens there");
                });
    }
}
