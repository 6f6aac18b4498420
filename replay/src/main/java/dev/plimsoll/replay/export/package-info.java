/**
 * History in tables for people and their tools: one row per window, layer and expert, or per decision, with columns that are documented
 * in one place. Pure: what is read comes through {@link dev.plimsoll.replay.export.DeploymentRecords}, what is written goes to a
 * {@link dev.plimsoll.replay.export.TableWriter}.
 */
@NullMarked
package dev.plimsoll.replay.export;

import org.jspecify.annotations.NullMarked;
