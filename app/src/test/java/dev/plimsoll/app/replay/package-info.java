@NullMarked
package dev.plimsoll.app.replay;

import org.jspecify.annotations.NullMarked;
