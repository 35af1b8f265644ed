/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of the top level; the order of rows is the order of writing (see runtime_linux.c). */
#include "spec/runtime_spec.h"

#include "core/alloc.h"
#include "core/str.h"

/* clang-format off: one row a line. */
JSON_DESC_STATIC(root_desc, struct oci_root, F_STRING(struct oci_root, path, "path", JSON_ALWAYS),
		 F_BOOL(struct oci_root, readonly, "readonly", 0), F_EXTRA(struct oci_root, extra));

JSON_DESC_STATIC(mount_desc, struct oci_mount,
		 F_STRING(struct oci_mount, destination, "destination", JSON_ALWAYS),
		 F_STRING(struct oci_mount, type, "type", 0),
		 F_STRING(struct oci_mount, source, "source", 0),
		 F_STRINGS(struct oci_mount, options, "options", 0),
		 F_OBJECTS(struct oci_mount, uid_mappings, struct oci_id_mapping, "uidMappings", 0,
			   oci_id_mapping_desc),
		 F_OBJECTS(struct oci_mount, gid_mappings, struct oci_id_mapping, "gidMappings", 0,
			   oci_id_mapping_desc),
		 F_EXTRA(struct oci_mount, extra));

JSON_DESC_STATIC(console_size_desc, struct oci_console_size,
		 F_U32(struct oci_console_size, height, "height", JSON_ALWAYS),
		 F_U32(struct oci_console_size, width, "width", JSON_ALWAYS));

JSON_DESC_STATIC(user_desc, struct oci_user, F_U32(struct oci_user, uid, "uid", JSON_ALWAYS),
		 F_U32(struct oci_user, gid, "gid", JSON_ALWAYS),
		 F_OPT_U32(struct oci_user, umask, "umask", 0),
		 F_U32S(struct oci_user, additional_gids, "additionalGids", 0),
		 F_STRING(struct oci_user, username, "username", 0));

JSON_DESC_STATIC(rlimit_desc, struct oci_rlimit,
		 F_STRING(struct oci_rlimit, type, "type", JSON_ALWAYS),
		 F_U64(struct oci_rlimit, hard, "hard", JSON_ALWAYS),
		 F_U64(struct oci_rlimit, soft, "soft", JSON_ALWAYS));

JSON_DESC_STATIC(capabilities_desc, struct oci_capabilities,
		 F_STRINGS(struct oci_capabilities, bounding, "bounding", 0),
		 F_STRINGS(struct oci_capabilities, effective, "effective", 0),
		 F_STRINGS(struct oci_capabilities, inheritable, "inheritable", 0),
		 F_STRINGS(struct oci_capabilities, permitted, "permitted", 0),
		 F_STRINGS(struct oci_capabilities, ambient, "ambient", 0));

JSON_DESC_STATIC(scheduler_desc, struct oci_scheduler,
		 F_STRING(struct oci_scheduler, policy, "policy", JSON_ALWAYS),
		 F_OPT_I64(struct oci_scheduler, nice, "nice", 0),
		 F_OPT_I64(struct oci_scheduler, priority, "priority", 0),
		 F_STRINGS(struct oci_scheduler, flags, "flags", 0),
		 F_OPT_U64(struct oci_scheduler, runtime, "runtime", 0),
		 F_OPT_U64(struct oci_scheduler, deadline, "deadline", 0),
		 F_OPT_U64(struct oci_scheduler, period, "period", 0));

JSON_DESC_STATIC(io_priority_desc, struct oci_io_priority,
		 F_STRING(struct oci_io_priority, io_class, "class", JSON_ALWAYS),
		 F_INT(struct oci_io_priority, priority, "priority", JSON_ALWAYS));

JSON_DESC_STATIC(exec_cpu_affinity_desc, struct oci_exec_cpu_affinity,
		 F_STRING(struct oci_exec_cpu_affinity, initial, "initial", 0),
		 F_STRING(struct oci_exec_cpu_affinity, final_, "final", 0));

JSON_DESC(oci_process_desc, struct oci_process, F_BOOL(struct oci_process, terminal, "terminal", 0),
	  F_OBJECT_PTR(struct oci_process, console_size, struct oci_console_size, "consoleSize", 0,
		       console_size_desc),
	  F_OBJECT(struct oci_process, user, struct oci_user, "user", JSON_ALWAYS, user_desc),
	  F_STRINGS(struct oci_process, args, "args", 0),
	  F_STRING(struct oci_process, command_line, "commandLine", 0),
	  F_STRINGS(struct oci_process, env, "env", 0),
	  F_STRING(struct oci_process, cwd, "cwd", JSON_ALWAYS),
	  F_OBJECT_PTR(struct oci_process, capabilities, struct oci_capabilities, "capabilities", 0,
		       capabilities_desc),
	  F_OBJECTS(struct oci_process, rlimits, struct oci_rlimit, "rlimits", 0, rlimit_desc),
	  F_BOOL(struct oci_process, no_new_privileges, "noNewPrivileges", 0),
	  F_STRING(struct oci_process, apparmor_profile, "apparmorProfile", 0),
	  F_OPT_I64(struct oci_process, oom_score_adj, "oomScoreAdj", 0),
	  F_OBJECT_PTR(struct oci_process, scheduler, struct oci_scheduler, "scheduler", 0,
		       scheduler_desc),
	  F_STRING(struct oci_process, selinux_label, "selinuxLabel", 0),
	  F_OBJECT_PTR(struct oci_process, io_priority, struct oci_io_priority, "ioPriority", 0,
		       io_priority_desc),
	  F_OBJECT_PTR(struct oci_process, exec_cpu_affinity, struct oci_exec_cpu_affinity,
		       "execCPUAffinity", 0, exec_cpu_affinity_desc),
	  F_EXTRA(struct oci_process, extra));

JSON_DESC(oci_hook_desc, struct oci_hook, F_STRING(struct oci_hook, path, "path", JSON_ALWAYS),
	  F_STRINGS(struct oci_hook, args, "args", 0), F_STRINGS(struct oci_hook, env, "env", 0),
	  F_OPT_I64(struct oci_hook, timeout, "timeout", 0));

JSON_DESC_STATIC(
	hooks_desc, struct oci_hooks,
	F_OBJECTS(struct oci_hooks, prestart, struct oci_hook, "prestart", 0, oci_hook_desc),
	F_OBJECTS(struct oci_hooks, create_runtime, struct oci_hook, "createRuntime", 0,
		  oci_hook_desc),
	F_OBJECTS(struct oci_hooks, create_container, struct oci_hook, "createContainer", 0,
		  oci_hook_desc),
	F_OBJECTS(struct oci_hooks, start_container, struct oci_hook, "startContainer", 0,
		  oci_hook_desc),
	F_OBJECTS(struct oci_hooks, poststart, struct oci_hook, "poststart", 0, oci_hook_desc),
	F_OBJECTS(struct oci_hooks, poststop, struct oci_hook, "poststop", 0, oci_hook_desc));

JSON_DESC(runtime_spec_desc, struct runtime_spec,
	  F_STRING(struct runtime_spec, oci_version, "ociVersion", JSON_ALWAYS),
	  F_OBJECT_PTR(struct runtime_spec, process, struct oci_process, "process", 0,
		       oci_process_desc),
	  F_OBJECT_PTR(struct runtime_spec, root, struct oci_root, "root", 0, root_desc),
	  F_STRING(struct runtime_spec, hostname, "hostname", 0),
	  F_STRING(struct runtime_spec, domainname, "domainname", 0),
	  F_OBJECTS(struct runtime_spec, mounts, struct oci_mount, "mounts", 0, mount_desc),
	  F_OBJECT_PTR(struct runtime_spec, hooks, struct oci_hooks, "hooks", 0, hooks_desc),
	  F_STRING_MAP(struct runtime_spec, annotations, "annotations", 0),
	  F_OBJECT_PTR(struct runtime_spec, linux_, struct oci_linux, "linux", 0, oci_linux_desc),
	  F_EXTRA(struct runtime_spec, extra));

/* clang-format on */

int runtime_spec_load(struct runtime_spec *ret, int dir_fd, const char *path, struct err *err)
{
	return json_decode_file(&runtime_spec_desc, ret, dir_fd, path, err);
}

char *runtime_spec_to_json(const struct runtime_spec *spec, enum json_style style)
{
	return json_encode(&runtime_spec_desc, spec, style);
}

void runtime_spec_done(struct runtime_spec *spec)
{
	json_done(&runtime_spec_desc, spec);
}

const char *runtime_spec_annotation(const struct runtime_spec *spec, const char *key)
{
	return json_string_map_get(&spec->annotations, key);
}

struct oci_hook *oci_hooks_add(struct oci_hooks *hooks, const char *stage)
{
	if (str_eq(stage, "prestart"))
		return array_push(hooks->prestart, hooks->n_prestart);
	if (str_eq(stage, "createRuntime"))
		return array_push(hooks->create_runtime, hooks->n_create_runtime);
	if (str_eq(stage, "createContainer"))
		return array_push(hooks->create_container, hooks->n_create_container);
	if (str_eq(stage, "startContainer"))
		return array_push(hooks->start_container, hooks->n_start_container);
	if (str_eq(stage, "poststart"))
		return array_push(hooks->poststart, hooks->n_poststart);
	if (str_eq(stage, "poststop"))
		return array_push(hooks->poststop, hooks->n_poststop);
	return NULL;
}

void oci_hook_copy(struct oci_hook *ret, const struct oci_hook *from)
{
	ret->path = xstrdup(from->path);
	json_strings_add_all(&ret->args, &ret->n_args, from->args, from->n_args);
	json_strings_add_all(&ret->env, &ret->n_env, from->env, from->n_env);
	ret->timeout = from->timeout;
}
