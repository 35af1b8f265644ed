/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The features document of the runtime-spec. Lists come from the tables that the modules themselves
 * work with; what is said is what this build can do, not what the host happens to have switched on
 * (as the specification wants it), but for seccomp's supported flags and CRIU.
 */
#include "cli/floe-runtime/commands.h"

#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "criu/find.h"
#include "floe-config.h"
#include "kernel/caps.h"
#include "kernel/mountflags.h"
#include "runtime/cgroup/backend.h"
#include "runtime/seccomp/load.h"
#include "runtime/seccomp/names.h"
#include "spec/defaults.h"
#include "spec/restore_hooks.h"
#include "spec/runtime_features.h"
#include "spec/vocabulary.h"

#define ANNOTATION "run.floe."

/* The list becomes that of the document, which frees it. */
static void give(struct strvec *list, bool sorted, char ***ret, size_t *ret_n)
{
	if (sorted)
		strvec_sort(list);
	*ret = list->v;
	*ret_n = list->n;
	*list = (struct strvec)STRVEC_INIT;
}

static void give_words(const struct vocabulary *words, char ***ret, size_t *ret_n)
{
	auto_strvec struct strvec list = STRVEC_INIT;

	for (size_t i = 0; i < words->n; i++)
		strvec_add(&list, words->v[i].name);
	give(&list, false, ret, ret_n);
}

static struct opt_bool known(bool v)
{
	return (struct opt_bool){ true, v };
}

static struct features_enabled *enabled(bool v)
{
	struct features_enabled *e = xcalloc(1, sizeof(*e));

	e->enabled = known(v);
	return e;
}

/* Options that are the runtime's own (runtime/mount/option.c), not flags of the kernel. */
static const char *const mount_extensions[] = { "copy-symlink", "dest-nofollow", "idmap",
						"ridmap",	"src-nofollow",	 "tmpcopyup" };

static void add_flags(struct strvec *list, const struct mountflag_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		strvec_add(list, table->v[i].name);
}

static void fill_mount_options(struct runtime_features *f)
{
	auto_strvec struct strvec list = STRVEC_INIT;

	add_flags(&list, &mountflags_plain);
	add_flags(&list, &mountflags_propagation);
	add_flags(&list, &mountflags_recursive);
	for (size_t i = 0; i < ARRAY_SIZE(mount_extensions); i++)
		strvec_add(&list, mount_extensions[i]);
	give(&list, true, &f->mount_options, &f->n_mount_options);
}

static void give_names(const char *const *names, char ***ret, size_t *ret_n)
{
	auto_strvec struct strvec list = STRVEC_INIT;

	for (; *names; names++)
		strvec_add(&list, *names);
	give(&list, false, ret, ret_n);
}

static struct features_seccomp *seccomp_features(void)
{
	struct features_seccomp *s = xcalloc(1, sizeof(*s));
	auto_strvec struct strvec supported = STRVEC_INIT;
	unsigned int mask = seccomp_supported_flags();

	s->enabled = known(true);
	give_names(seccomp_known_actions(), &s->actions, &s->n_actions);
	give_names(seccomp_known_operators(), &s->operators, &s->n_operators);
	give_names(seccomp_known_archs(), &s->archs, &s->n_archs);
	give_names(seccomp_known_flags(), &s->known_flags, &s->n_known_flags);
	for (size_t i = 0; i < s->n_known_flags; i++)
		if (seccomp_flag_by_name(s->known_flags[i]) & mask)
			strvec_add(&supported, s->known_flags[i]);
	give(&supported, false, &s->supported_flags, &s->n_supported_flags);
	return s;
}

static struct features_cgroup *cgroup_features(void)
{
	struct features_cgroup *c = xcalloc(1, sizeof(*c));

	c->v1 = known(true);
	c->v2 = known(true);
	c->systemd = known(cgroup_has_systemd());
	c->systemd_user = known(cgroup_has_systemd());
	c->rdma = known(true);
	return c;
}

static struct features_linux *linux_features(void)
{
	struct features_linux *l = xcalloc(1, sizeof(*l));
	auto_strvec struct strvec caps = STRVEC_INIT;

	give_words(&spec_namespaces, &l->namespaces, &l->n_namespaces);
	for (int cap = 0; cap <= caps_last(); cap++)
		if (caps_to_name(cap))
			strvec_add(&caps, caps_to_name(cap));
	give(&caps, false, &l->capabilities, &l->n_capabilities);
	l->cgroup = cgroup_features();
	l->seccomp = seccomp_features();
	l->apparmor = enabled(true);
	l->selinux = enabled(true);
	l->intel_rdt = xcalloc(1, sizeof(*l->intel_rdt));
	l->intel_rdt->enabled = known(true);
	l->intel_rdt->schemata = known(true);
	l->intel_rdt->monitoring = known(true);
	l->memory_policy = xcalloc(1, sizeof(*l->memory_policy));
	give_words(&spec_memory_modes, &l->memory_policy->modes, &l->memory_policy->n_modes);
	give_words(&spec_memory_flags, &l->memory_policy->flags, &l->memory_policy->n_flags);
	l->mount_extensions = xcalloc(1, sizeof(*l->mount_extensions));
	l->mount_extensions->idmap = enabled(true);
	l->net_devices = enabled(true);
	return l;
}

/* CRIU is looked for, not run. */
static void fill_annotations(struct json_string_map *map, const struct runtime_context *context)
{
	auto_criu_location struct criu_location criu = CRIU_LOCATION_INIT;
	const struct scmp_version *seccomp = seccomp_version();
	const struct criu_find_opts find = {
		.option = context->criu_option,
		.configured = context->criu_configured,
	};
	bool found = criu_find(&criu, &find, NULL) == 0;

	if (seccomp) {
		auto_free char *text =
			xasprintf("%u.%u.%u", seccomp->major, seccomp->minor, seccomp->micro);

		json_string_map_set(map, "io.github.seccomp.libseccomp.version", text);
	}
	/* The name that engines look for. */
	json_string_map_set(map, "org.opencontainers.runc.checkpoint.enabled",
			    found ? "true" : "false");
	json_string_map_set(map, ANNOTATION "version", FLOE_VERSION);
	if (FLOE_COMMIT[0])
		json_string_map_set(map, ANNOTATION "commit", FLOE_COMMIT);
	if (found) {
		json_string_map_set(map, ANNOTATION "criu.path", criu.path);
		json_string_map_set(map, ANNOTATION "criu.source",
				    criu_source_to_string(criu.source));
	}
}

static void fill_unsafe(struct runtime_features *f)
{
	auto_strvec struct strvec list = STRVEC_INIT;

	strvec_add(&list, "org.criu.config");
	strvec_add(&list, ANNOTATION_POST_RESTORE);
	strvec_add(&list, "org.systemd.property.");
	strvec_add(&list, "run.oci.");
	give(&list, false, &f->unsafe_annotations, &f->n_unsafe_annotations);
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	struct runtime_features f = { 0 };
	auto_free char *text = NULL;

	f.oci_version_min = xstrdup("1.0.0");
	f.oci_version_max = xstrdup(SPEC_OCI_VERSION);
	give_words(&spec_hooks, &f.hooks, &f.n_hooks);
	fill_mount_options(&f);
	f.linux_ = linux_features();
	fill_annotations(&f.annotations, inv->context);
	fill_unsafe(&f);
	text = json_encode(&runtime_features_desc, &f, JSON_INDENT4);
	json_done(&runtime_features_desc, &f);
	return cli_print_line(text, err);
}

const struct cli_command features_command = {
	.name = "features",
	.summary = "print what this runtime supports",
	.description = "As JSON: the features document of the OCI runtime specification. Its "
		       "annotations say which CRIU would be used.",
	.min_args = 0,
	.max_args = 0,
	.run = run,
};
