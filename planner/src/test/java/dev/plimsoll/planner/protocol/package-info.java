@NullMarked
package dev.plimsoll.planner.protocol;

import org.jspecify.annotations.NullMarked;
