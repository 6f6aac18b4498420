package dev.plimsoll.simulator;

import java.nio.file.Path;

/** Where the processes of one engine meet. */
public sealed interface Meeting {
    /**
     * On one machine.
     *
     * @param segment shared-memory file of the exchange, best on tmpfs
     */
    record OnOneMachine(Path segment) implements Meeting {}

    /**
     * On several, or on one as if they were: each process is a node with a directory of its own.
     *
     * @param host where process 0 is
     * @param port where it listens for the engine's lock step; it listens for the ranks' gathers and weights at the next one
     * @param secretFile the secret that all processes share, 16 to 4096 bytes
     */
    record ByAddress(String host, int port, Path secretFile) implements Meeting {
        public ByAddress {
            if (host.isEmpty() || port < 1 || port > 65534) {
                throw new IllegalArgumentException(
                        host + ":" + port + " is no address with room for two ports: ports are 1 to 65534");
            }
        }

        /** Of the engine's lock step. */
        public String engine() {
            return at(port);
        }

        /** Of gathers and weights. */
        public String ranks() {
            return at(port + 1);
        }

        private String at(int number) {
            return (host.contains(":") ? "[" + host + "]" : host) + ":" + number;
        }
    }
}
