/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.sysctl: kernel parameters of the container's own namespaces, and only those. How their names
 * are read is in spec/sysctl_name.h.
 */
#pragma once

#include "core/err.h"
#include "core/json_table.h"
#include "spec/runtime_linux.h"

/* Which namespaces are not the runtime's own. */
struct sysctl_facts {
	bool has_ipc; /* the configuration has an ipc namespace entry */
	bool has_uts;
	bool has_user;
	bool has_network; /* a new network namespace, or one whose inode is not ours */
};

/*
 * From the configuration; a network namespace that is given by path is compared with the calling
 * process's own by device and inode. An error only when that path cannot be examined.
 */
int sysctl_facts_from_namespaces(struct sysctl_facts *ret, const struct oci_namespace *namespaces,
				 size_t n, struct err *err);

/* Refuse keys that are not of such a namespace, malformed ones ("..", empty parts), and
 * kernel.hostname. Pure; texts as runc's. */
int sysctl_validate(const struct json_string_map *sysctl, const struct sysctl_facts *facts,
		    struct err *err);

/*
 * Write them, in the child: in its namespaces, before sys is made read-only and the user is changed.
 * proc_fd: root of a procfs (kernel/proc_root.h), checked again here; what is mounted over its
 * directories is refused rather than written to.
 */
int sysctl_apply(const struct json_string_map *sysctl, int proc_fd, struct err *err);

/* Only those of one type of namespace, as sysctl_path_namespace() has it ("network"); by our own /proc,
 * which shows the parameters of the network namespace that the caller is in. */
int sysctl_apply_type(const struct json_string_map *sysctl, const char *type, struct err *err);
