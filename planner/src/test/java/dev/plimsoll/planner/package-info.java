@NullMarked
package dev.plimsoll.planner;

import org.jspecify.annotations.NullMarked;
