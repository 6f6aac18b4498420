/** Measurements that the command line offers on any machine, so that a published number can be taken again. */
@NullMarked
package dev.plimsoll.app.bench;

import org.jspecify.annotations.NullMarked;
