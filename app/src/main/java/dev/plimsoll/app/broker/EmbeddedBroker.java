package dev.plimsoll.app.broker;

import dev.plimsoll.app.SharedDirectory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.common.utils.Time;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A real Kafka broker in this JVM: one KRaft node on the loopback interface with its data in one directory, alone or as one of a
 * {@link BrokerCluster}.
 *
 * <p>The directory outlives the broker. Started again on the same directory and port, in this process or another, it has
 * all its topics, records and group offsets, and clients that still run reconnect by themselves. Several brokers may
 * run in one JVM, each on a directory of its own.
 *
 * <p>Safe for use by any thread.
 */
public final class EmbeddedBroker implements AutoCloseable {

    /** How long {@link #close()} waits at most. */
    public static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(8);

    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedBroker.class);

    static {
        // On a fault that it cannot survive, Kafka halts the JVM without a word. Here that JVM also holds the ranks,
        // which
        // must outlive any broker: let the thread that met the fault die alone, loudly.
        Exit.setExitProcedure(EmbeddedBroker::refuseExit);
        Exit.setHaltProcedure(EmbeddedBroker::refuseExit);
    }

    private final KafkaRaftServer server;
    private final DirectoryLock lock;
    private final Path directory;
    private final int port;
    private final Thread shutdown;

    private EmbeddedBroker(KafkaRaftServer server, DirectoryLock lock, Path directory, int port) {
        this.server = server;
        this.lock = lock;
        this.directory = directory;
        this.port = port;
        this.shutdown = new Thread(this::shutDown, "broker-shutdown-" + port);
        this.shutdown.setDaemon(true);
    }

    /**
     * Starts a broker and returns when clients can connect: after 2 to 4 seconds in a new JVM, a quarter of a second after an
     * earlier one in it, and about 6 seconds where the last broker on this directory was killed.
     *
     * @param dataDirectory where the broker keeps its data; made and formatted if it is not there yet
     * @param port where clients connect; 0 for any free one
     * @throws BrokerException if it cannot start; nothing of it is then left running
     */
    public static EmbeddedBroker start(Path dataDirectory, int port) {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("port is " + port + ", must be from 0 to 65535");
        }
        if (port != 0) {
            requireFree(port);
        }
        int clientPort = port == 0 ? Ports.free() : port;
        return start(dataDirectory, 1, BrokerCluster.alone(clientPort, controllerPort(clientPort)));
    }

    /**
     * Starts one node of a cluster and returns when clients can connect to it: when most nodes of the cluster are up.
     *
     * @param dataDirectory where this node keeps its data; made and formatted if it is not there yet
     * @param node its number, from 1
     * @throws BrokerException if it cannot start; nothing of it is then left running
     */
    public static EmbeddedBroker startNode(Path dataDirectory, int node, BrokerCluster cluster) {
        if (node < 1 || node > cluster.nodes().size()) {
            throw new IllegalArgumentException(
                    "node is " + node + ", must be from 1 to " + cluster.nodes().size());
        }
        requireFree(cluster.nodes().get(node - 1).port());
        return start(dataDirectory, node, cluster);
    }

    private static void requireFree(int port) {
        if (!Ports.isFree(port)) {
            throw new BrokerException("Port " + port + " on 127.0.0.1 is taken, or not open to this user. Stop what"
                    + " listens there, or choose another port (0: any free one).");
        }
    }

    private static EmbeddedBroker start(Path dataDirectory, int node, BrokerCluster cluster) {
        Path directory = dataDirectory.toAbsolutePath().normalize();
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new BrokerException(
                    "Cannot make the data directory " + directory + ": " + e + ". Use a directory that you may write.",
                    e);
        }
        DirectoryLock lock = DirectoryLock.take(directory);
        EmbeddedBroker broker;
        try {
            broker = prepare(directory, node, cluster, lock);
        } catch (RuntimeException | Error e) {
            lock.release();
            throw e;
        }
        try {
            broker.server.startup();
            return broker;
        } catch (Throwable e) { // Scala throws checked exceptions undeclared
            // A failed start leaves about 30 threads behind that would keep the JVM from ending.
            broker.close();
            throw failed(directory, broker.port, e);
        }
    }

    /** Where a broker for a while keeps its data: a directory to be made, removed when it is closed. */
    public static SharedDirectory temporaryData() {
        return SharedDirectory.planned(Path.of(System.getProperty("java.io.tmpdir")), "plimsoll-broker-");
    }

    /** What clients set as {@code bootstrap.servers}. */
    public String bootstrapServers() {
        return "127.0.0.1:" + port;
    }

    /** Where clients connect; the same for as long as the broker lives, and never 0. */
    public int port() {
        return port;
    }

    /**
     * Stops the broker, usually within half a second, and returns after {@link #CLOSE_TIMEOUT} at the latest.
     *
     * <p>What is not down by then goes on stopping behind, and its directory stays locked until it is. Closing again is
     * harmless.
     */
    @Override
    public void close() {
        synchronized (this) {
            if (shutdown.getState() == Thread.State.NEW) {
                shutdown.start();
            }
        }
        try {
            shutdown.join(CLOSE_TIMEOUT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (shutdown.isAlive()) {
            LOG.warn("The broker on port {} with its data in {} is still stopping", port, directory);
        }
    }

    private void shutDown() {
        try {
            // Not bounded: it asks the controller for leave and waits up to five minutes for the answer.
            server.shutdown();
            server.awaitShutdown();
        } finally {
            lock.release();
        }
    }

    /** A broker on a formatted directory, with nothing running yet. */
    private static EmbeddedBroker prepare(Path directory, int node, BrokerCluster cluster, DirectoryLock lock) {
        Path log = directory.resolve("log");
        int port = cluster.nodes().get(node - 1).port();
        Properties settings = new Properties();
        settings.putAll(new BrokerSettings(log, node, cluster).asMap());
        if (!Files.exists(log.resolve("meta.properties"))) {
            format(directory, settings, cluster.id());
        }
        try {
            KafkaRaftServer server = new KafkaRaftServer(new KafkaConfig(settings, false), Time.SYSTEM);
            return new EmbeddedBroker(server, lock, directory, port);
        } catch (RuntimeException e) {
            throw failed(directory, port, e);
        }
    }

    private static int controllerPort(int clientPort) {
        int port = Ports.free();
        while (port == clientPort) {
            port = Ports.free();
        }
        return port;
    }

    /** Does what Kafka's {@code kafka-storage format} does: gives the directory its cluster id and the newest features. */
    private static void format(Path directory, Properties settings, String clusterId) {
        Path file = directory.resolve("format.properties");
        try (Writer out = Files.newBufferedWriter(file)) {
            settings.store(out, "What this directory was formatted with; a broker's own settings may differ.");
        } catch (IOException e) {
            throw new BrokerException("Cannot write " + file + ": " + e + ". Use a directory that you may write.", e);
        }
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        String[] command = {"format", "--cluster-id", clusterId, "--config", file.toString(), "--ignore-formatted"};
        int status;
        try {
            status = StorageTool.execute(command, new PrintStream(output, true, StandardCharsets.UTF_8));
        } catch (RuntimeException e) {
            throw new BrokerException("Cannot format the data directory " + directory + ": " + e.getMessage(), e);
        }
        if (status != 0) {
            throw new BrokerException("Cannot format the data directory " + directory + " (status " + status + "): "
                    + output.toString(StandardCharsets.UTF_8).strip());
        }
    }

    private static BrokerException failed(Path directory, int port, Throwable cause) {
        String reason = cause.getMessage() == null ? cause.toString() : cause.getMessage();
        return new BrokerException(
                "The broker on port " + port + " with its data in " + directory + " did not start: " + reason
                        + ". If its data is of no worth, remove the directory and start again.",
                cause);
    }

    private static void refuseExit(int status, String message) {
        LOG.error("The embedded broker failed and wants to end this process (status {}): {}", status, message);
        throw new IllegalStateException("The embedded broker asked to end the process with status " + status);
    }
}
