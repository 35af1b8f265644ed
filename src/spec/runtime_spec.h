/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OCI runtime configuration (config.json, runtime-spec 1.3) as plain data: the top level and
 * everything that is not specific to Linux. linux.* is in runtime_linux.h.
 *
 * Each struct owns what it points to; runtime_spec_done() frees all of it. A pointer that is NULL
 * and an opt_ whose set is false mean that the document does not have the key. Keys that the spec
 * does not define are kept in `extra` and written again by runtime_spec_to_json().
 */
#pragma once

#include "core/err.h"
#include "core/json_table.h"
#include "spec/runtime_linux.h"

struct oci_root {
	char *path;
	bool readonly;
	struct json_extra extra;
};

struct oci_mount {
	char *destination;
	char *type;
	char *source;
	char **options;
	size_t n_options;
	struct oci_id_mapping *uid_mappings;
	size_t n_uid_mappings;
	struct oci_id_mapping *gid_mappings;
	size_t n_gid_mappings;
	struct json_extra extra;
};

struct oci_console_size {
	uint32_t height; /* rows */
	uint32_t width; /* columns */
};

struct oci_user {
	uint32_t uid;
	uint32_t gid;
	struct opt_u32 umask;
	uint32_t *additional_gids;
	size_t n_additional_gids;
	char *username; /* Windows only; kept */
};

struct oci_rlimit {
	char *type; /* RLIMIT_NOFILE ... */
	uint64_t soft;
	uint64_t hard;
};

struct oci_capabilities {
	char **bounding;
	size_t n_bounding;
	char **effective;
	size_t n_effective;
	char **inheritable;
	size_t n_inheritable;
	char **permitted;
	size_t n_permitted;
	char **ambient;
	size_t n_ambient;
};

struct oci_scheduler {
	char *policy; /* SCHED_OTHER ... */
	struct opt_i64 nice;
	struct opt_i64 priority;
	char **flags;
	size_t n_flags;
	struct opt_u64 runtime; /* ns */
	struct opt_u64 deadline; /* ns */
	struct opt_u64 period; /* ns */
};

struct oci_io_priority {
	char *io_class; /* IOPRIO_CLASS_RT ...; JSON key "class" */
	int priority;
};

struct oci_exec_cpu_affinity {
	char *initial;
	char *final_; /* JSON key "final" */
};

struct oci_process {
	bool terminal;
	struct oci_console_size *console_size;
	struct oci_user user;
	char **args;
	size_t n_args;
	char *command_line; /* Windows only; kept */
	char **env;
	size_t n_env;
	char *cwd;
	struct oci_capabilities *capabilities;
	struct oci_rlimit *rlimits;
	size_t n_rlimits;
	bool no_new_privileges;
	char *apparmor_profile;
	struct opt_i64 oom_score_adj;
	struct oci_scheduler *scheduler;
	char *selinux_label;
	struct oci_io_priority *io_priority;
	struct oci_exec_cpu_affinity *exec_cpu_affinity;
	struct json_extra extra;
};

struct oci_hook {
	char *path;
	char **args;
	size_t n_args;
	char **env;
	size_t n_env;
	struct opt_i64 timeout; /* seconds */
};

struct oci_hooks {
	struct oci_hook *prestart;
	size_t n_prestart;
	struct oci_hook *create_runtime;
	size_t n_create_runtime;
	struct oci_hook *create_container;
	size_t n_create_container;
	struct oci_hook *start_container;
	size_t n_start_container;
	struct oci_hook *poststart;
	size_t n_poststart;
	struct oci_hook *poststop;
	size_t n_poststop;
};

struct runtime_spec {
	char *oci_version;
	struct oci_process *process;
	struct oci_root *root;
	char *hostname;
	char *domainname;
	struct oci_mount *mounts;
	size_t n_mounts;
	struct oci_hooks *hooks;
	struct json_string_map annotations;
	struct oci_linux *linux_; /* JSON key "linux" (a macro of old compilers, hence the name) */
	struct json_extra extra;
};

extern const struct json_desc runtime_spec_desc;
/* One process, as `exec --process` reads it. */
extern const struct json_desc oci_process_desc;
extern const struct json_desc oci_hook_desc;

/*
 * Read config.json (or another document of that form) at dir_fd/path. Decodes only; what the types
 * cannot say is checked by runtime_spec_validate() (spec/validate.h).
 */
int runtime_spec_load(struct runtime_spec *ret, int dir_fd, const char *path, struct err *err);
/* The caller owns the text. */
char *runtime_spec_to_json(const struct runtime_spec *spec, enum json_style style);
void runtime_spec_done(struct runtime_spec *spec);

/* A new hook of that stage, to be filled in; NULL: there is no such stage. Valid until the next one of it. */
struct oci_hook *oci_hooks_add(struct oci_hooks *hooks, const char *stage);
/* ret is empty. */
void oci_hook_copy(struct oci_hook *ret, const struct oci_hook *from);

/* Value of an annotation; NULL when it is not there. */
const char *runtime_spec_annotation(const struct runtime_spec *spec, const char *key);
