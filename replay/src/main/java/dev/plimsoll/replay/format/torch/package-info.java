/** PyTorch's files, read without running what they say. Pure. */
@NullMarked
package dev.plimsoll.replay.format.torch;

import org.jspecify.annotations.NullMarked;
