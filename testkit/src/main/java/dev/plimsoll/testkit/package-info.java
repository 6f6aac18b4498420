/** What tests of several modules share. */
@NullMarked
package dev.plimsoll.testkit;

import org.jspecify.annotations.NullMarked;
