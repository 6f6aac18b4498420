/** The commands of {@code plimsoll} and their options. */
@NullMarked
package dev.plimsoll.app.command;

import org.jspecify.annotations.NullMarked;
