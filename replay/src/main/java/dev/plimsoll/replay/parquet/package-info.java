/** The home of Parquet: tables as Parquet files. */
@NullMarked
package dev.plimsoll.replay.parquet;

import org.jspecify.annotations.NullMarked;
