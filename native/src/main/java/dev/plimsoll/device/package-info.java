/**
 * The device side: streams, memory, capture of the counters, the gather with its votes, transfers of weights, and the
 * two files between an engine and its node (heat ring, plan mailbox).
 *
 * <p>This package wraps the C ABI of {@code plimsoll.h}, bound by JavaCPP's parser; the header is the only truth.
 * It may use JavaCPP and the JDK, nothing else.
 */
@NullMarked
package dev.plimsoll.device;

import org.jspecify.annotations.NullMarked;
