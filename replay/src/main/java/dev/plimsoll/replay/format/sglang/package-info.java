/** What SGLang's recorder of expert distributions writes, and what SGLang starts with. Pure. */
@NullMarked
package dev.plimsoll.replay.format.sglang;

import org.jspecify.annotations.NullMarked;
