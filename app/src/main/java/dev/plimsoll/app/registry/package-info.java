/** The schemas of the topics for the tools of others: by the read side of Confluent's registry API, and in registries of others. */
@NullMarked
package dev.plimsoll.app.registry;

import org.jspecify.annotations.NullMarked;
