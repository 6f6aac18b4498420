/** Formats that are text: JSON, a JSON document per line, YAML. Pure. */
@NullMarked
package dev.plimsoll.replay.format.text;

import org.jspecify.annotations.NullMarked;
