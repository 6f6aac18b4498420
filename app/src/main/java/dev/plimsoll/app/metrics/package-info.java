/** Micrometer meters behind the roles' listeners, and the HTTP endpoint that shows them. */
@NullMarked
package dev.plimsoll.app.metrics;

import org.jspecify.annotations.NullMarked;
