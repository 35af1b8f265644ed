/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/seccomp_profile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/fs.h"
#include "core/str.h"
#include "engine/seccomp_default.h"
#include "kernel/caps.h"

struct condition {
	char **caps;
	size_t n_caps;
	char **arches;
	size_t n_arches;
	char *min_kernel;
};

struct rule {
	char *name; /* an older form of names */
	char **names;
	size_t n_names;
	char *action;
	struct opt_u32 errno_ret;
	struct oci_seccomp_arg *args;
	size_t n_args;
	struct condition includes;
	struct condition excludes;
};

struct arch_map {
	char *architecture;
	char **sub_architectures;
	size_t n_sub_architectures;
};

struct profile {
	char *default_action;
	struct opt_u32 default_errno_ret;
	char **architectures;
	size_t n_architectures;
	struct arch_map *arch_map;
	size_t n_arch_map;
	char **flags;
	size_t n_flags;
	char *listener_path;
	char *listener_metadata;
	struct rule *rules;
	size_t n_rules;
};

/* clang-format off: one row a line. */
#define T struct condition
JSON_DESC_STATIC(condition_desc, T, F_STRINGS(T, caps, "caps", 0),
		 F_STRINGS(T, arches, "arches", 0), F_STRING(T, min_kernel, "minKernel", 0));
#undef T
#define T struct oci_seccomp_arg
JSON_DESC_STATIC(arg_desc, T, F_U32(T, index, "index", 0), F_U64(T, value, "value", 0),
		 F_U64(T, value_two, "valueTwo", 0), F_STRING(T, op, "op", 0));
#undef T
#define T struct rule
JSON_DESC_STATIC(rule_desc, T, F_STRING(T, name, "name", 0), F_STRINGS(T, names, "names", 0),
		 F_STRING(T, action, "action", 0), F_OPT_U32(T, errno_ret, "errnoRet", 0),
		 F_OBJECTS(T, args, struct oci_seccomp_arg, "args", 0, arg_desc),
		 F_OBJECT(T, includes, struct condition, "includes", 0, condition_desc),
		 F_OBJECT(T, excludes, struct condition, "excludes", 0, condition_desc));
#undef T
#define T struct arch_map
JSON_DESC_STATIC(arch_map_desc, T, F_STRING(T, architecture, "architecture", 0),
		 F_STRINGS(T, sub_architectures, "subArchitectures", 0));
#undef T
#define T struct profile
JSON_DESC_STATIC(profile_desc, T, F_STRING(T, default_action, "defaultAction", JSON_REQUIRED),
		 F_OPT_U32(T, default_errno_ret, "defaultErrnoRet", 0),
		 F_STRINGS(T, architectures, "architectures", 0),
		 F_OBJECTS(T, arch_map, struct arch_map, "archMap", 0, arch_map_desc),
		 F_STRINGS(T, flags, "flags", 0), F_STRING(T, listener_path, "listenerPath", 0),
		 F_STRING(T, listener_metadata, "listenerMetadata", 0),
		 F_OBJECTS(T, rules, struct rule, "syscalls", 0, rule_desc));
#undef T
/* clang-format on */

/* Go's name of this machine's architecture, which the conditions use, and libseccomp's. */
#if defined(__x86_64__)
#define ARCH_GO "amd64"
#define ARCH_NATIVE "SCMP_ARCH_X86_64"
#elif defined(__aarch64__)
#define ARCH_GO "arm64"
#define ARCH_NATIVE "SCMP_ARCH_AARCH64"
#elif defined(__s390x__)
#define ARCH_GO "s390x"
#define ARCH_NATIVE "SCMP_ARCH_S390X"
#elif defined(__powerpc64__)
#define ARCH_GO "ppc64le"
#define ARCH_NATIVE "SCMP_ARCH_PPC64LE"
#elif defined(__riscv)
#define ARCH_GO "riscv64"
#define ARCH_NATIVE "SCMP_ARCH_RISCV64"
#else
#define ARCH_GO ""
#define ARCH_NATIVE ""
#endif

static bool kernel_is_at_least(const char *wanted)
{
	struct utsname name;
	unsigned int have[2] = { 0, 0 };
	unsigned int want[2] = { 0, 0 };

	(void)uname(&name);
	(void)sscanf(name.release, "%u.%u", &have[0], &have[1]);
	(void)sscanf(wanted, "%u.%u", &want[0], &want[1]);
	return have[0] > want[0] || (have[0] == want[0] && have[1] >= want[1]);
}

static bool has_cap(const char *name, uint64_t caps)
{
	int cap = caps_from_name(name);

	return cap >= 0 && (caps & CAPS_BIT(cap));
}

static bool names_this_arch(const struct condition *c)
{
	for (size_t i = 0; i < c->n_arches; i++)
		if (str_eq(c->arches[i], ARCH_GO))
			return true;
	return false;
}

/* All that is named must hold for a rule to be included, any of it to be excluded. */
static bool applies(const struct rule *rule, uint64_t caps)
{
	const struct condition *in = &rule->includes;
	const struct condition *ex = &rule->excludes;

	if (in->n_arches > 0 && !names_this_arch(in))
		return false;
	for (size_t i = 0; i < in->n_caps; i++)
		if (!has_cap(in->caps[i], caps))
			return false;
	if (in->min_kernel && !kernel_is_at_least(in->min_kernel))
		return false;
	if (ex->n_arches > 0 && names_this_arch(ex))
		return false;
	for (size_t i = 0; i < ex->n_caps; i++)
		if (has_cap(ex->caps[i], caps))
			return false;
	return !(ex->min_kernel && kernel_is_at_least(ex->min_kernel));
}

static void move_rule(struct oci_seccomp *to, struct rule *rule)
{
	struct oci_seccomp_syscall *s = array_push(to->syscalls, to->n_syscalls);

	s->names = take_ptr(rule->names);
	s->n_names = rule->n_names;
	rule->n_names = 0;
	if (rule->name)
		json_strings_add(&s->names, &s->n_names, rule->name);
	s->action = take_ptr(rule->action);
	s->errno_ret = rule->errno_ret;
	s->args = take_ptr(rule->args);
	s->n_args = rule->n_args;
	rule->n_args = 0;
}

static void add_architectures(struct oci_seccomp *to, const struct profile *from)
{
	json_strings_add_all(&to->architectures, &to->n_architectures, from->architectures,
			     from->n_architectures);
	for (size_t i = 0; i < from->n_arch_map; i++) {
		const struct arch_map *m = &from->arch_map[i];

		if (!str_eq(m->architecture, ARCH_NATIVE))
			continue;
		json_strings_add(&to->architectures, &to->n_architectures, m->architecture);
		for (size_t k = 0; k < m->n_sub_architectures; k++)
			json_strings_add(&to->architectures, &to->n_architectures,
					 m->sub_architectures[k]);
	}
}

static struct oci_seccomp *resolve(struct profile *from, uint64_t caps)
{
	struct oci_seccomp *to = xcalloc(1, sizeof(*to));

	to->default_action = take_ptr(from->default_action);
	to->default_errno_ret = from->default_errno_ret;
	to->listener_path = take_ptr(from->listener_path);
	to->listener_metadata = take_ptr(from->listener_metadata);
	json_strings_add_all(&to->flags, &to->n_flags, from->flags, from->n_flags);
	add_architectures(to, from);
	for (size_t i = 0; i < from->n_rules; i++)
		if (applies(&from->rules[i], caps))
			move_rule(to, &from->rules[i]);
	return to;
}

/* NULL: none is installed, the one that is built in counts. */
static const char *installed_profile(void)
{
	static const char *const places[] = { SECCOMP_PROFILE_OVERRIDE, SECCOMP_PROFILE_DEFAULT };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (fs_exists(AT_FDCWD, places[i]))
			return places[i];
	return NULL;
}

int seccomp_profile_load(const char *profile_, uint64_t caps, struct oci_seccomp **ret,
			 struct err *err)
{
	const char *path = profile_ ? profile_ : installed_profile();
	struct profile profile;
	int r;

	if (!path) {
		*ret = seccomp_default(caps);
		return 0;
	}
	if (path[0] == '{')
		r = json_decode(&profile_desc, &profile, path, strlen(path),
				"the image's seccomp profile", err);
	else
		r = json_decode_file(&profile_desc, &profile, AT_FDCWD, path, err);
	if (r == -ENOENT)
		return err_set(err, ERR_NOT_FOUND,
			       "seccomp profile '%s': no such file; give another with "
			       "--security-opt seccomp=FILE (or seccomp=unconfined for none)",
			       path);
	if (r < 0)
		return path[0] == '{' ? r : err_wrap(err, r, "seccomp profile '%s'", path);
	*ret = resolve(&profile, caps);
	json_done(&profile_desc, &profile);
	return 0;
}
