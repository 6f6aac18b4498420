/** {@code plimsoll chaos}: faults of real processes, and every window against what was really computed. */
@NullMarked
package dev.plimsoll.app.chaos;

import org.jspecify.annotations.NullMarked;
