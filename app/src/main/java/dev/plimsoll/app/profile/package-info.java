/** Device profiles as files: what somebody measured of experts on a device, read and written. */
@NullMarked
package dev.plimsoll.app.profile;

import org.jspecify.annotations.NullMarked;
