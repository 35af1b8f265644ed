/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/sysctl.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "core/auto.h"
#include "core/fs.h"
#include "core/str.h"
#include "kernel/proc_root.h"
#include "spec/sysctl_name.h"

/* Whether the namespace at path is another one than ours. */
static int is_foreign_network(const char *path, bool *ret, struct err *err)
{
	struct stat theirs;
	struct stat ours;

	if (stat(path, &theirs) < 0)
		return err_sys(err, -errno, "invalid netns path: stat '%s'", path);
	if (stat("/proc/self/ns/net", &ours) < 0)
		return err_sys(err, -errno, "stat our own network namespace");
	*ret = !fs_is_same_file(&theirs, &ours);
	return 0;
}

int sysctl_facts_from_namespaces(struct sysctl_facts *ret, const struct oci_namespace *namespaces,
				 size_t n, struct err *err)
{
	struct sysctl_facts facts = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct oci_namespace *ns = &namespaces[i];
		int r = 0;

		if (str_eq(ns->type, "ipc"))
			facts.has_ipc = true;
		else if (str_eq(ns->type, "uts"))
			facts.has_uts = true;
		else if (str_eq(ns->type, "user"))
			facts.has_user = true;
		else if (str_eq(ns->type, "network") && str_is_empty(ns->path))
			facts.has_network = true;
		else if (str_eq(ns->type, "network"))
			r = is_foreign_network(ns->path, &facts.has_network, err);
		if (r < 0)
			return r;
	}
	*ret = facts;
	return 0;
}

static int validate_key(const char *key, const struct sysctl_facts *facts, struct err *err)
{
	auto_free char *path = sysctl_name_to_path(key);
	const char *type = path ? sysctl_path_namespace(path) : NULL;

	if (!path)
		return err_set(err, ERR_INVALID, "sysctl \"%s\" is not a valid name", key);
	if (str_eq(path, "kernel/hostname"))
		return err_set(err, ERR_INVALID,
			       "sysctl \"%s\" is not allowed as it conflicts with the OCI "
			       "\"hostname\" field",
			       key);
	if (str_eq(type, "ipc"))
		return facts->has_ipc ? 0 :
					err_set(err, ERR_INVALID,
						"sysctl \"%s\" is not allowed in the hosts ipc "
						"namespace",
						key);
	if (str_eq(type, "network"))
		return facts->has_network ? 0 :
					    err_set(err, ERR_INVALID,
						    "sysctl \"%s\" not allowed in host network "
						    "namespace",
						    key);
	if ((str_eq(type, "uts") && facts->has_uts) || (str_eq(type, "user") && facts->has_user))
		return 0;
	return err_set(err, ERR_INVALID, "sysctl \"%s\" is not in a separate kernel namespace",
		       key);
}

int sysctl_validate(const struct json_string_map *sysctl, const struct sysctl_facts *facts,
		    struct err *err)
{
	for (size_t i = 0; i < sysctl->n; i++) {
		int r = validate_key(sysctl->v[i].key, facts, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int apply_one(const char *key, const char *value, int proc_fd, struct err *err)
{
	auto_free char *name = sysctl_name_to_path(key);
	char path[512];
	int n;
	int r;

	if (!name)
		return err_set(err, ERR_INVALID, "sysctl \"%s\" is not a valid name", key);
	n = snprintf(path, sizeof(path), "sys/%s", name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return err_sys(err, -ENAMETOOLONG, "write sysctl '%s'", key);
	r = proc_root_write(proc_fd, path, value);
	if (r == -EXDEV || r == -ELOOP)
		return err_set(err, ERR_DENIED,
			       "write sysctl '%s': refused, something is mounted over it in the "
			       "container",
			       key);
	if (r < 0)
		return err_sys(err, r, "write sysctl '%s', value '%s'", key, value);
	return 0;
}

int sysctl_apply(const struct json_string_map *sysctl, int proc_fd, struct err *err)
{
	int r;

	if (sysctl->n == 0)
		return 0;
	r = proc_root_check(proc_fd);
	if (r < 0)
		return err_sys(err, r, "write sysctls: check that /proc is a procfs");
	for (size_t i = 0; i < sysctl->n; i++) {
		r = apply_one(sysctl->v[i].key, sysctl->v[i].value, proc_fd, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_of_type(const char *key, const char *type)
{
	auto_free char *path = sysctl_name_to_path(key);

	return path && str_eq(sysctl_path_namespace(path), type);
}

int sysctl_apply_type(const struct json_string_map *sysctl, const char *type, struct err *err)
{
	auto_close int proc_fd = -EBADF;

	for (size_t i = 0; i < sysctl->n; i++) {
		int r;

		if (!is_of_type(sysctl->v[i].key, type))
			continue;
		if (proc_fd < 0)
			proc_fd = proc_root_open("/proc");
		if (proc_fd < 0)
			return err_sys(err, proc_fd, "write sysctls: open '/proc'");
		r = apply_one(sysctl->v[i].key, sysctl->v[i].value, proc_fd, err);
		if (r < 0)
			return r;
	}
	return 0;
}
