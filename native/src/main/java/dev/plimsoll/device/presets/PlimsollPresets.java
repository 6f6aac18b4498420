package dev.plimsoll.device.presets;

import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/** Tells JavaCPP's parser how to read {@code plimsoll.h}; used by the build only; the generated class extends it. */
@Properties(
        value = @Platform(include = "plimsoll.h", link = "plimsoll", compiler = "cpp17"),
        target = "dev.plimsoll.device.api",
        global = "dev.plimsoll.device.api.PlimsollApi")
public class PlimsollPresets implements InfoMapper {
    @Override
    public void map(InfoMap infoMap) {
        // No function throws, so the generated code need not catch.
        infoMap.put(new Info("PLM_API").cppTypes().annotations("@NoException(true)"));
        // Pointer has an address() of its own.
        infoMap.put(new Info("plm_comm_opts::address").javaNames("endpoint"));
        infoMap.put(new Info("plm_segment::address", "plm_part::address", "plm_weights::address")
                .javaNames("device_address"));
    }
}
