/** What the commands of {@code plimsoll quarantine} know of records that could not be read or used. */
@NullMarked
package dev.plimsoll.app.quarantine;

import org.jspecify.annotations.NullMarked;
