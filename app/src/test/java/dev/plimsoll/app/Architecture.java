package dev.plimsoll.app;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchRule;
import java.time.Clock;
import java.util.List;
import java.util.Timer;

/**
 * The arrows between packages, as rules that a machine checks.
 *
 * <p>Which module may use which is for Maven to check. Here is what Maven cannot see: the packages within one module, and
 * libraries that come along with others.
 */
final class Architecture {

    /** Functions of what they are given: the same input gives the same bytes, on any thread, on any day. */
    static final List<String> PURE = List.of(
            "dev.plimsoll.model",
            "dev.plimsoll.wire.life",
            "dev.plimsoll.aggregator.window",
            "dev.plimsoll.planner.placement",
            "dev.plimsoll.planner.protocol",
            "dev.plimsoll.replay.export",
            "dev.plimsoll.replay.format",
            "dev.plimsoll.replay.result",
            "dev.plimsoll.replay.report");

    /** Micrometer's binder of a client's metrics wants the client: one class may name its type. */
    static final ArchRule KAFKA = noClasses()
            .that()
            .resideInAPackage("dev.plimsoll..")
            .and()
            .resideOutsideOfPackages(below(List.of("dev.plimsoll.wire.kafka", "dev.plimsoll.app.broker")))
            .and()
            .doNotHaveFullyQualifiedName("dev.plimsoll.app.metrics.KafkaMeters")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.apache.kafka..", "kafka..")
            .because("Kafka has its home in dev.plimsoll.wire.kafka and dev.plimsoll.app.broker");

    static final ArchRule AVRO = home("Avro", List.of("dev.plimsoll.wire"), "org.apache.avro");
    static final ArchRule PARQUET = home(
            "Parquet",
            List.of("dev.plimsoll.replay.parquet"),
            "org.apache.parquet",
            "org.apache.hadoop",
            "blue.strategic.parquet");
    static final ArchRule JAVACPP = home("JavaCPP", List.of("dev.plimsoll.device"), "org.bytedeco");
    static final ArchRule MICROMETER = home("Micrometer", List.of("dev.plimsoll.app"), "io.micrometer");
    static final ArchRule PICOCLI = home("picocli", List.of("dev.plimsoll.app"), "picocli");

    private Architecture() {}

    /** Refuses classes outside of {@code homes} that depend on a library. */
    private static ArchRule home(String library, List<String> homes, String... packages) {
        return noClasses()
                .that()
                .resideInAPackage("dev.plimsoll..")
                .and()
                .resideOutsideOfPackages(below(homes))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(below(List.of(packages)))
                .because(library + " has its home in " + String.join(" and ", homes));
    }

    /** Refuses classes of a pure package that know the outside, a thread or the time of day. */
    static ArchRule isPure(String packageName) {
        return noClasses()
                .that()
                .resideInAPackage(packageName + "..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(below(List.of(
                        "org.apache.kafka",
                        "kafka",
                        "org.apache.avro",
                        "org.apache.parquet",
                        "reactor",
                        "org.reactivestreams",
                        "io.micrometer",
                        "picocli",
                        "org.slf4j",
                        "org.bytedeco",
                        "java.util.concurrent")))
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(Thread.class)
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(Timer.class)
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(Clock.class)
                .orShould()
                .callMethodWhere(
                        target(name("now")).and(target(owner(JavaClass.Predicates.resideInAPackage("java.time..")))))
                .orShould()
                .callMethodWhere(target(nameMatching("currentTimeMillis|nanoTime"))
                        .and(target(owner(JavaClass.Predicates.type(System.class)))))
                .because("a pure package is a function of what it is given");
    }

    private static String[] below(List<String> packages) {
        return packages.stream().map(name -> name + "..").toArray(String[]::new);
    }
}
