@NullMarked
package dev.plimsoll.planner.placement;

import org.jspecify.annotations.NullMarked;
