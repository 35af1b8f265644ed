/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup_owner.h"

#include "core/log.h"
#include "core/path.h"
#include "core/str.h"
#include "kernel/idmap.h"
#include "kernel/procfs.h"

static bool has_writable_cgroup_mount(const struct runtime_spec *spec)
{
	bool found = false;

	for (size_t i = 0; i < spec->n_mounts; i++) {
		const struct oci_mount *mount = &spec->mounts[i];
		auto_free char *path = path_clean(mount->destination ? mount->destination : "");

		if (!str_eq(path, "/sys/fs/cgroup"))
			continue;
		/* The last one there is the one that is seen. */
		found = str_eq(mount->source, "cgroup") || str_eq(mount->type, "cgroup");
		for (size_t j = 0; j < mount->n_options; j++)
			if (str_eq(mount->options[j], "ro") || str_eq(mount->options[j], "rro"))
				found = false;
	}
	return found;
}

static int read_map(const struct launch *l, struct idmap *ret)
{
	const struct oci_linux *linux_ = l->bundle.spec.linux_;
	auto_procfs struct procfs proc = PROCFS_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r;

	if (!namespace_plan_has(&l->namespaces, NAMESPACE_USER)) {
		idmap_add(ret, 0, 0, UINT32_MAX);
		return 0;
	}
	for (size_t i = 0; i < linux_->n_uid_mappings; i++)
		idmap_add(ret, linux_->uid_mappings[i].container_id,
			  linux_->uid_mappings[i].host_id, linux_->uid_mappings[i].size);
	if (linux_->n_uid_mappings || l->init_pid <= 0)
		return 0;
	r = procfs_open(&proc, NULL);
	if (r == 0)
		r = procfs_read(&proc, l->init_pid, "uid_map", &text);
	return r < 0 ? r : idmap_parse(ret, text.buf);
}

/*
 * Whether the rule applies and to which host uid: that of process.user.uid. With a user namespace of
 * its own that follows from linux.uidMappings; with one that is joined, from l->init_pid's uid_map.
 * A user that is not mapped owns nothing; false: leave the cgroup as it is.
 */
static bool find_owner(const struct launch *l, uid_t *ret)
{
	const struct runtime_spec *spec = &l->bundle.spec;
	auto_idmap struct idmap map = IDMAP_INIT;
	int r;

	if (!namespace_plan_creates(&l->namespaces, NAMESPACE_CGROUP) ||
	    !has_writable_cgroup_mount(spec))
		return false;
	r = read_map(l, &map);
	if (r == 0)
		r = idmap_to_outside(&map, spec->process->user.uid, ret);
	if (r < 0)
		log_debug("the container's user %u does not own its cgroup: %s",
			  spec->process->user.uid, errno_text(r));
	return r == 0;
}

int cgroup_owner_set(struct launch *l, struct err *err)
{
	uid_t uid;
	int r;

	if (!find_owner(l, &uid))
		return 0;
	r = cgroup_chown(&l->cgroup, uid, err);
	if (r != -EPERM || !runtime_is_rootless(l->rt))
		return r;
	log_debug("%s; left as it is", err ? err->msg : "the cgroup's owner");
	err_clear(err);
	return 0;
}
