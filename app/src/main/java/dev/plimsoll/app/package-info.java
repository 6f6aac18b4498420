/**
 * The command line and the roles: where everything is put together and nothing is decided.
 *
 * <p>May use all modules; nothing may use it.
 */
@NullMarked
package dev.plimsoll.app;

import org.jspecify.annotations.NullMarked;
