/** What people ask of a deployment: what of it is in force, and what becomes of each command. Pure. */
@NullMarked
package dev.plimsoll.planner.control;

import org.jspecify.annotations.NullMarked;
