/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/volume_mount.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/capture.h"
#include "core/lock.h"
#include "core/program.h"
#include "core/str.h"
#include "core/strvec.h"

/* Whether the options ask for a mount. */
static bool has_mount(const struct volume *v)
{
	return json_string_map_get(&v->options, "type") ||
	       json_string_map_get(&v->options, "device");
}

static bool is_owner_only(const struct json_string_map *options)
{
	const char *list = json_string_map_get(options, "o");
	auto_strvec struct strvec words = STRVEC_INIT;

	strvec_split(&words, list ? list : "", ',', false);
	for (size_t i = 0; i < words.n; i++)
		if (!str_has_prefix(words.v[i], "uid=") && !str_has_prefix(words.v[i], "gid="))
			return false;
	return true;
}

int volume_check_options(const struct json_string_map *options, struct err *err)
{
	static const char *const names[] = { "type", "device", "o", NULL };
	const char *type = json_string_map_get(options, "type");
	const char *device = json_string_map_get(options, "device");
	struct stat st;

	for (size_t i = 0; i < options->n; i++)
		if (!str_is_one_of(options->v[i].key, names))
			return err_set(err, ERR_INVALID,
				       "invalid mount option %s for driver 'local': there are "
				       "type, device and o",
				       options->v[i].key);
	if (!type && !device && options->n > 0 && !is_owner_only(options))
		return err_set(err, ERR_INVALID,
			       "volume option 'o': it needs a type or a device; only uid= and gid= "
			       "may stand alone");
	if (str_eq(type, "bind") && (!device || stat(device, &st) < 0))
		return err_sys(err, device ? -errno : -EINVAL,
			       "invalid volume option device for driver 'local': stat %s",
			       device ? device : "");
	return 0;
}

static bool is_mounted(const struct volume *v)
{
	struct statx st;

	return statx(AT_FDCWD, v->mountpoint, AT_SYMLINK_NOFOLLOW, 0, &st) == 0 &&
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* mount(8), which has the helpers of network file systems. */
static int mount_it(const struct volume *v, struct err *err)
{
	const char *type = json_string_map_get(&v->options, "type");
	const char *device = json_string_map_get(&v->options, "device");
	const char *options = json_string_map_get(&v->options, "o");
	bool is_bind = str_eq(type, "bind");
	auto_strvec struct strvec argv = STRVEC_INIT;
	auto_capture struct capture run = CAPTURE_INIT;
	auto_free char *program = program_find("mount");
	int r;

	if (!program)
		return err_set(err, ERR_NOT_FOUND,
			       "mount volume '%s': mount is needed; install the package 'mount'",
			       v->name);
	strvec_add(&argv, program);
	if (is_bind || options) {
		strvec_add(&argv, "-o");
		strvec_addf(&argv, "%s%s%s", is_bind ? "bind" : "", is_bind && options ? "," : "",
			    options ? options : "");
	}
	if (type && !is_bind) {
		strvec_add(&argv, "-t");
		strvec_add(&argv, type);
	}
	strvec_add(&argv, device ? device : type);
	strvec_add(&argv, v->mountpoint);
	run.argv = argv.v;
	r = capture_run(&run, err);
	if (r > 0)
		return err_set(err, ERR_REMOTE, "mount volume '%s': %.*s", v->name,
			       (int)strcspn(run.messages.buf, "\n"), run.messages.buf);
	return r;
}

int volume_unmount_now(const struct volume *v, struct err *err)
{
	while (has_mount(v) && is_mounted(v))
		if (umount2(v->mountpoint, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
			return err_sys(err, -errno, "unmount volume '%s'", v->name);
	return 0;
}

static ssize_t find_holder(const struct volume *v, const char *id)
{
	for (size_t i = 0; i < v->n_holders; i++)
		if (str_eq(v->holders[i], id))
			return (ssize_t)i;
	return -1;
}

static void remove_holder(struct volume *v, const char *id)
{
	ssize_t i = find_holder(v, id);

	if (i < 0)
		return;
	free(v->holders[i]);
	v->holders[i] = v->holders[--v->n_holders];
}

static void forget_holders(struct volume *v)
{
	while (v->n_holders > 0)
		free(v->holders[--v->n_holders]);
	v->mount_count = 0;
}

enum change { HOLD, RELEASE, MOUNT, UNMOUNT };

/* Who needs it changes, and with it whether it is mounted; the record last, so that a crash is only a mount too many. */
static int change(struct engine *e, struct volume *v, enum change what, const char *id,
		  struct err *err)
{
	bool adds = what == HOLD || what == MOUNT;
	bool mounted = is_mounted(v);
	int r = 0;

	if (has_mount(v) && !mounted)
		forget_holders(v);
	if (adds)
		r = volume_make_directory(v, err);
	if (r == 0 && adds && has_mount(v) && !mounted)
		r = mount_it(v, err);
	if (r < 0)
		return r;
	if (what == HOLD && find_holder(v, id) < 0)
		json_strings_add(&v->holders, &v->n_holders, id);
	else if (what == RELEASE)
		remove_holder(v, id);
	else if (what == MOUNT)
		v->mount_count++;
	else if (what == UNMOUNT && v->mount_count > 0)
		v->mount_count--;
	if (!adds && v->n_holders == 0 && v->mount_count == 0)
		r = volume_unmount_now(v, err);
	return r < 0 ? r : volume_save(e, v, err);
}

static int change_locked(struct engine *e, const char *name, enum change what, const char *id,
			 char **ret_mountpoint, struct err *err)
{
	auto_volume struct volume v = { 0 };
	auto_volume struct volume now = { 0 };
	auto_close int lock = -EBADF;
	int r = volume_load(e, name, &v, err);

	if (r == -ENOENT && id) {
		err_clear(err);
		return 0;
	}
	/* Plain directories need nothing from containers. */
	if (r < 0 || (id && !has_mount(&v)))
		return r;
	r = lock = volume_lock(e, v.name, err);
	if (r < 0)
		return r;
	r = volume_load(e, v.name, &now, err);
	if (r == 0)
		r = change(e, &now, what, id, err);
	if (r == 0 && ret_mountpoint)
		*ret_mountpoint = take_ptr(now.mountpoint);
	return r;
}

int volume_hold(struct engine *e, const char *name, const char *container_id, struct err *err)
{
	return change_locked(e, name, HOLD, container_id, NULL, err);
}

int volume_release(struct engine *e, const char *name, const char *container_id, struct err *err)
{
	return change_locked(e, name, RELEASE, container_id, NULL, err);
}

int volume_mount(struct engine *e, const char *name, char **ret_mountpoint, struct err *err)
{
	return change_locked(e, name, MOUNT, NULL, ret_mountpoint, err);
}

int volume_unmount(struct engine *e, const char *name, struct err *err)
{
	return change_locked(e, name, UNMOUNT, NULL, NULL, err);
}
