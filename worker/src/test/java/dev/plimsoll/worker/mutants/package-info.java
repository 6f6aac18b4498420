@NullMarked
package dev.plimsoll.worker.mutants;

import org.jspecify.annotations.NullMarked;
