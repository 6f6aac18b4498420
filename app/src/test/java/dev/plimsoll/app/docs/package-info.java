/** The documents: what in them is generated, and what in them can be checked. */
@org.jspecify.annotations.NullMarked
package dev.plimsoll.app.docs;
