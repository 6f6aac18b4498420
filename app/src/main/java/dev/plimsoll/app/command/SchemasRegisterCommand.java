package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.plimsoll.app.Failures;
import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.registry.Catalogue;
import dev.plimsoll.app.registry.Registration;
import dev.plimsoll.app.registry.Registration.Finding;
import dev.plimsoll.app.registry.Registration.State;
import dev.plimsoll.app.registry.RegistryAccess;
import dev.plimsoll.app.registry.RegistryException;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;

/** Our schemas, in a registry of others. */
@Command(
        name = "register",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Register all schemas in a Confluent-compatible registry, under the ids that the records carry.",
        footer = {
            "",
            "Says what it would do; --execute does it. Only needed where tools cannot be pointed at 'plimsoll registry'."
        })
public final class SchemasRegisterCommand implements Callable<Integer>, Validated {
    @Option(
            names = "--schema-registry-url",
            paramLabel = "URL",
            description = "The registry (default: schema.registry.url in --kafka-properties).")
    @Nullable
    private String url;

    @Option(
            names = "--kafka-properties",
            paramLabel = "FILE",
            description = "Client properties: schema.registry.url, basic.auth.user.info, bearer.auth.token,"
                    + " schema.registry.ssl.truststore.*, schema.registry.ssl.keystore.*.")
    @Nullable
    private Path propertiesFile;

    @Option(names = "--execute", description = "Register what is missing.")
    private boolean execute;

    @Option(names = "--output", defaultValue = "text", description = "text or json (default: ${DEFAULT-VALUE}).")
    private OutputForm output = OutputForm.TEXT;

    private Optional<RegistryAccess> access = Optional.empty();

    @Override
    public void check(Problems problems) {
        try {
            access = Optional.of(RegistryAccess.of(Optional.ofNullable(url), properties()));
        } catch (IllegalArgumentException e) {
            problems.add("", e);
        } catch (IOException e) {
            problems.add("--kafka-properties: cannot read " + propertiesFile);
        }
    }

    private Map<String, String> properties() throws IOException {
        Map<String, String> map = new HashMap<>();
        if (propertiesFile != null) {
            Properties properties = new Properties();
            try (Reader reader = Files.newBufferedReader(propertiesFile)) {
                properties.load(reader);
            }
            properties.stringPropertyNames().forEach(name -> map.put(name, properties.getProperty(name)));
        }
        return map;
    }

    @Override
    public Integer call() throws Exception {
        Registration registration = new Registration(new Catalogue(), access.orElseThrow());
        // A signal comes between requests, so that no subject is left in the mode for importing.
        try (Lifecycle lifecycle = new Lifecycle()) {
            lifecycle.stopOnSignal();
            return run(registration, lifecycle);
        } catch (RegistryException e) {
            System.err.println("plimsoll: " + e.getMessage());
            return switch (e.kind()) {
                case UNREACHABLE -> Failures.UNREACHABLE;
                case REFUSED -> ExitCode.USAGE;
                case FAILED -> ExitCode.SOFTWARE;
            };
        }
    }

    private int run(Registration registration, Lifecycle lifecycle) throws RegistryException {
        List<Finding> findings = registration.look();
        findings.forEach(finding -> System.out.println(output == OutputForm.JSON ? json(finding) : line(finding)));
        long missing = count(findings, State.MISSING);
        if (count(findings, State.TAKEN) > 0) {
            System.err.println(
                    "plimsoll: nothing is registered, as ids or versions are taken by others. Give Plimsoll a"
                            + " context of its own, where the registry has those: --schema-registry-url "
                            + access.orElseThrow()
                            + "/contexts/.plimsoll, the same address for the tools; else use 'plimsoll"
                            + " registry' beside it");
            return ExitCode.SOFTWARE;
        }
        if (missing > 0 && execute) {
            registration.register(findings, lifecycle::stopRequested);
        }
        System.err.println(count(findings, State.THERE) + " schemas are there, " + missing
                + (execute ? " were registered" : " would be registered" + (missing > 0 ? "; --execute does it" : "")));
        return ExitCode.OK;
    }

    private static long count(List<Finding> findings, State state) {
        return findings.stream().filter(finding -> finding.state() == state).count();
    }

    private static String line(Finding finding) {
        return String.format(
                Locale.ROOT,
                "%-8s %d  %s %d%s",
                finding.state().name().toLowerCase(Locale.ROOT),
                finding.schema().id(),
                finding.schema().subject(),
                finding.schema().version(),
                finding.detail().isEmpty() ? "" : ": " + finding.detail());
    }

    private static String json(Finding finding) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("state", finding.state().name())
                .put("id", finding.schema().id())
                .put("subject", finding.schema().subject())
                .put("version", finding.schema().version())
                .put("detail", finding.detail())
                .toString();
    }
}
