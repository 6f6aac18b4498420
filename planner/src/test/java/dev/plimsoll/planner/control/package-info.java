@NullMarked
package dev.plimsoll.planner.control;

import org.jspecify.annotations.NullMarked;
