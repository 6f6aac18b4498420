/** The build's instructions for generating the binding; nothing here runs in a program. */
@NullMarked
package dev.plimsoll.device.presets;

import org.jspecify.annotations.NullMarked;
