/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes with a file system of their own (options type, device and o of the local driver): mount(8) mounts it on the
 * volume's directory for the first who needs it, and the last one takes it away. Who needs it is in the volume's record,
 * which a restart of the machine makes void: then nothing is mounted, whatever it says.
 */
#pragma once

#include "engine/volume.h"

/* Values of the options: names that are known, a device that is there. ERR_INVALID. */
int volume_check_options(const struct json_string_map *options, struct err *err);
/* The container needs it from now on; no volume of this name: nothing. ERR_REMOTE with mount's words. */
int volume_hold(struct engine *e, const char *name, const char *container_id, struct err *err);
/* It does not any more, if ever it did. */
int volume_release(struct engine *e, const char *name, const char *container_id, struct err *err);
/* `volume mount`, `volume unmount`: counted. *ret_mountpoint is the caller's. */
int volume_mount(struct engine *e, const char *name, char **ret_mountpoint, struct err *err);
int volume_unmount(struct engine *e, const char *name, struct err *err);
/* Take away what is mounted, whoever needs it; the caller removes the volume. */
int volume_unmount_now(const struct volume *v, struct err *err);
