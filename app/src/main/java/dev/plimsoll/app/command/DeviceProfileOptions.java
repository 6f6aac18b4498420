package dev.plimsoll.app.command;

import dev.plimsoll.model.ProfileChoice;
import dev.plimsoll.planner.ObjectiveChoice;
import dev.plimsoll.planner.PlannerSettings;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What plans are to make even, and what experts take on the ranks' devices. */
final class DeviceProfileOptions {
    static final String PROFILE = ProfileOption.NAME;

    @Mixin
    private ProfileOption profile = new ProfileOption();

    @Option(
            names = "--objective",
            paramLabel = "NAME",
            defaultValue = "auto",
            description =
                    "What plans make even: tokens; time, of a step's experts by the --device-profile; or auto, time where"
                            + " there is a profile (default: ${DEFAULT-VALUE}).")
    private ObjectiveChoice objective = ObjectiveChoice.AUTO;

    /** Checks that the profile can be read; without one there is another. */
    void checkProfile(Problems problems) {
        profile.check(problems);
    }

    /** Checks that the profile can be read, and is there where it is needed. */
    void check(Problems problems) {
        checkProfile(problems);
        problems.require(
                objective != ObjectiveChoice.TIME || profile.given(),
                "--objective time needs to know what experts take: name your device with " + ProfileOption.NAME
                        + ", or leave --objective out");
    }

    /** The profile that was asked for; empty before {@link #check}. */
    Optional<ProfileChoice> choice() {
        return profile.choice();
    }

    /** Whether anything was said. */
    boolean given() {
        return profile.given() || objective != ObjectiveChoice.AUTO;
    }

    ObjectiveChoice objective() {
        return objective;
    }

    /** The settings by this objective, with this profile. */
    PlannerSettings choose(PlannerSettings settings) {
        return settings.withObjective(objective, choice());
    }

    /** The settings by this objective, with a profile that stands in where none was asked for. */
    PlannerSettings choose(PlannerSettings settings, ProfileChoice otherwise) {
        return settings.withObjective(objective, Optional.of(choice().orElse(otherwise)));
    }
}
