package dev.plimsoll.app.command;

import dev.plimsoll.device.Device;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Says which back ends of the native library can be used here. */
@Command(
        name = "devices",
        mixinStandardHelpOptions = true,
        description = "Say which back ends of the native library can be used here, and why not.")
public final class DevicesCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        for (String backend : List.of("host", "ascend", "cuda")) {
            Device.Probe probe = Device.probe(backend);
            String found = probe.library().isEmpty() ? "" : " (" + probe.library() + ")";
            System.out.printf(
                    "%-8s %s%s%n",
                    backend, probe.available() ? "available" : "not available: " + probe.reason(), found);
        }
        return 0;
    }
}
