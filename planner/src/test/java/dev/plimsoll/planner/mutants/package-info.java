@NullMarked
package dev.plimsoll.planner.mutants;

import org.jspecify.annotations.NullMarked;
