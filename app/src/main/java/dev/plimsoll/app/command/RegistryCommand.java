package dev.plimsoll.app.command;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.registry.Catalogue;
import dev.plimsoll.app.registry.RegistryServer;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;

/** The schemas of the topics, for tools that ask a schema registry. */
@Command(
        name = "registry",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Serve the schemas of the topics to other tools, by the read side of Confluent's Schema Registry API.",
        footer = {
            "",
            "Needs no Kafka and keeps nothing: schemas and ids are those in the jar. It is for kcat -r, schema.registry.url and the like."
        })
public final class RegistryCommand implements Callable<Integer>, Validated {
    @Option(
            names = "--port",
            paramLabel = "PORT",
            defaultValue = "" + RegistryServer.USUAL_PORT,
            description = "Port to serve on, 0 picks one (default: ${DEFAULT-VALUE}).")
    private int port = RegistryServer.USUAL_PORT;

    @Option(
            names = "--host",
            paramLabel = "HOST",
            defaultValue = "127.0.0.1",
            description = "Address to serve on; all who reach it may read (default: ${DEFAULT-VALUE}).")
    private String host = "127.0.0.1";

    @Override
    public void check(Problems problems) {
        problems.require(port >= 0 && port <= 65535, "--port must be 0 to 65535, not " + port);
        if (port > 0 && port <= 65535) {
            RegistryOptions.checkFree(problems, "--port", host, port);
        }
    }

    @Override
    public Integer call() throws Exception {
        try (Lifecycle lifecycle = new Lifecycle()) {
            lifecycle.stopOnSignal();
            Catalogue catalogue = new Catalogue();
            RegistryServer server = lifecycle.start("registry", () -> new RegistryServer(host, port, catalogue));
            System.err.println("registry  http://" + host + ":" + server.port() + " serves "
                    + catalogue.schemas().size() + " schemas in "
                    + catalogue.subjects().size() + " subjects");
            lifecycle.await();
        }
        return ExitCode.OK;
    }
}
