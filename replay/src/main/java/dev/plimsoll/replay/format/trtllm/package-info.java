/** Statistics that TensorRT-LLM writes and plans from. Pure. */
@NullMarked
package dev.plimsoll.replay.format.trtllm;

import org.jspecify.annotations.NullMarked;
