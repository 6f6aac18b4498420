/**
 * What an operator is told of deployments and their decisions, and what becomes of an operator's command: pure functions of what the
 * topics hold, and the one class that reads them.
 */
@NullMarked
package dev.plimsoll.app.operator;

import org.jspecify.annotations.NullMarked;
