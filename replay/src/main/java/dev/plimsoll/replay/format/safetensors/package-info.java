/** The safetensors format: named arrays behind a JSON header. Pure. */
@NullMarked
package dev.plimsoll.replay.format.safetensors;

import org.jspecify.annotations.NullMarked;
