/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share; nobody else includes it. */
#pragma once

#include "runtime/cgroup/backend.h"
#include "runtime/cgroup/plan.h"

/* What differs between drivers; the rest works on the nodes whoever made them. */
struct cgroup_backend {
	const char *name;
	/* pid: for drivers that need a process (cgroup_create()), else 0. */
	int (*create)(struct cgroup *cg, pid_t pid, bool unified_only, struct err *err);
	void (*undo_create)(struct cgroup *cg);
	int (*apply)(struct cgroup *cg, const struct oci_resources *res, struct err *err);
	int (*update)(struct cgroup *cg, const struct oci_resources *res, struct err *err);
	int (*destroy)(struct cgroup *cg, struct err *err);
	bool (*place)(struct cgroup *cg, pid_t pid); /* may be NULL */
};

extern const struct cgroup_backend cgroup_backend_fs;
extern const struct cgroup_backend cgroup_backend_systemd;
extern const struct cgroup_backend cgroup_backend_none;

int cgroup_systemd_open(struct cgroup *cg, const struct cgroup_opts *opts, struct err *err);
void cgroup_systemd_close(struct cgroup *cg);

/* The directory of a node as O_PATH descriptor, opened once and kept; borrowed. */
int cgroup_node_dir(struct cgroup_node *node);
/* The v2 node, or NULL. */
struct cgroup_node *cgroup_unified(const struct cgroup *cg);
struct cgroup_node *cgroup_node_find(const struct cgroup *cg, const char *controller);
/* The node whose process list stands for the container: of the freezer if there is one. */
struct cgroup_node *cgroup_main_node(const struct cgroup *cg);

/* Open a file of the node's directory. */
int cgroup_node_open(const struct cgroup_node *node, const char *file, int flags);
/* A small file, without the newline at its end; appended to sb. */
int cgroup_node_read(const struct cgroup_node *node, const char *file, struct strbuf *sb);
int cgroup_node_write(const struct cgroup_node *node, const char *file, const char *value);
/* Whether a word stands in a file of words ("cgroup.controllers"). */
bool cgroup_node_lists(const struct cgroup_node *node, const char *file, const char *word);

/* Make one directory, as cgroup_create() does. */
int cgroup_fs_create_node(struct cgroup *cg, struct cgroup_node *node, struct err *err);
/* v2: pass one controller down to the node from the mount point, as far as that is possible. */
void cgroup_fs_enable_controller(const struct cgroup_node *node, const char *controller);
/* Number of processes in the directory and below, or a negative errno. */
int cgroup_count_pids(const char *path);

/* Refuse a plan by which the container would lose memory that it uses, where it asks for that. */
int cgroup_check_usage(struct cgroup *cg, const struct cgroup_plan *plan, struct err *err);
/* Carry out a plan, after that check. */
int cgroup_execute(struct cgroup *cg, const struct cgroup_plan *plan, struct err *err);
/* The writes for the limits of res, on this host. */
int cgroup_plan_limits(struct cgroup *cg, struct cgroup_plan *plan, const struct oci_resources *res,
		       struct err *err);
int cgroup_apply_limits(struct cgroup *cg, const struct oci_resources *res, struct err *err);
int cgroup_apply_devices(struct cgroup *cg, const struct oci_resources *res, struct err *err);
