/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/proc.h"
#include "engine/container.h"

/*
 * Where conmon is to be, out of its caller's cgroup, so that the end of a session or a service does not
 * take the monitor with it: PARENT/conmon with cgroupfs; with systemd a scope of its own in the parent slice,
 * where exec's joins the container's. None of it with --cgroups=no-conmon or disabled, and where it may not be.
 */
struct conmon_cgroup {
	int dir_fd; /* version 2: to be born in; or -EBADF */
	int procs_fd; /* file by which a process enters; or -EBADF */
	char *slice; /* of the scope that systemd is to make; NULL: none. Owned, as is */
	char *id; /* the container's */
	char *marker; /* CONTAINER_CREATION_MARKER's path: it gets the scope's name; NULL: for an exec */
};

#define CONMON_CGROUP_INIT                                                                         \
	{                                                                                          \
		.dir_fd = -EBADF, .procs_fd = -EBADF                                               \
	}

/* for_exec: of a further process in a container that runs. */
int conmon_cgroup_open(const struct container *c, bool for_exec, struct conmon_cgroup *ret,
		       struct err *err);
void conmon_cgroup_close(struct conmon_cgroup *cgroup);
DEFINE_AUTO_VAL(conmon_cgroup, struct conmon_cgroup, conmon_cgroup_close)
#define auto_conmon_cgroup auto_cleanup(conmon_cgroup_cleanup_val)
/*
 * proc_spawn(), in there. The process itself goes in: to move another one takes the kernel milliseconds,
 * and tens of them on a busy machine. Only systemd moves it, while it waits for its start byte. That it
 * cannot is no error.
 */
int conmon_cgroup_spawn(const struct conmon_cgroup *cgroup, struct proc *ret,
			struct proc_spawn_opts *opts);
/*
 * Have systemd end the scope that a conmon was to be in, which has been ended itself. A process that ends while systemd takes
 * it in is in no cgroup any more for the kernel (cgroup_migrate_add_task()): this one has then never had any, does not become
 * empty, and systemd would have the scope run for ever.
 */
void conmon_cgroup_end_scope(const char *unit);
/*
 * Remove what is left of the container's cgroups below the path that its record names, where no process is in
 * them: a runtime whose restore failed (crun 1.28), or that was killed, leaves them. Only with cgroupfs.
 */
void container_cgroup_sweep(const struct container *c);
