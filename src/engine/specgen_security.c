/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities, labels, seccomp, masked paths of the runtime configuration. */
#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/str.h"
#include "engine/specgen.h"
#include "kernel/caps.h"

/* Those of containers.conf. */
static const char *const default_caps[] = {
	"CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",	 "CAP_FSETID",
	"CAP_KILL",    "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",	 "CAP_SETGID",
	"CAP_SETPCAP", "CAP_SETUID",	       "CAP_SYS_CHROOT",
};

static const char *const masked_paths[] = {
	"/proc/acpi",	     "/proc/asound",	"/proc/interrupts",
	"/proc/kcore",	     "/proc/keys",	"/proc/latency_stats",
	"/proc/sched_debug", "/proc/scsi",	"/proc/timer_list",
	"/proc/timer_stats", "/sys/dev/block",	"/sys/devices/virtual/powercap",
	"/sys/firmware",     "/sys/fs/selinux",
};

static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

int specgen_capability(const char *text)
{
	char name[64] = "CAP_";
	size_t at = strncasecmp(text, "CAP_", 4) == 0 ? 0 : 4;
	size_t len = MIN(strlen(text), sizeof(name) - at - 1);

	for (size_t i = 0; i < len; i++)
		name[at + i] = (char)toupper((unsigned char)text[i]);
	return caps_from_name(name);
}

/* The capabilities of a list; ALL sets *ret_all. */
static int parse_caps(char *const *names, size_t n, uint64_t *ret, bool *ret_all, struct err *err)
{
	*ret = 0;
	*ret_all = false;
	for (size_t i = 0; i < n; i++) {
		int cap;

		if (strcasecmp(names[i], "all") == 0) {
			*ret_all = true;
			continue;
		}
		cap = specgen_capability(names[i]);
		if (cap < 0)
			return err_set(err, ERR_INVALID, "capability '%s': no such capability",
				       names[i]);
		*ret |= CAPS_BIT(cap);
	}
	return 0;
}

int specgen_capabilities(const struct container_config *c, int last_cap, uint64_t *ret_bounding,
			 uint64_t *ret_added, struct err *err)
{
	uint64_t all = last_cap >= 63 ? UINT64_MAX : CAPS_BIT(last_cap + 1) - 1;
	uint64_t base = 0;
	uint64_t added;
	uint64_t dropped;
	bool add_all;
	bool drop_all;
	bool all_default;
	int r = parse_caps(c->cap_add, c->n_cap_add, &added, &add_all, err);

	if (r == 0)
		r = parse_caps(c->cap_drop, c->n_cap_drop, &dropped, &drop_all, err);
	if (r < 0)
		return r;
	if (add_all && drop_all)
		return err_set(err, ERR_INVALID, "cannot add and drop all capabilities at once");
	if (added & dropped)
		return err_set(err, ERR_INVALID, "capability '%s' is both added and dropped",
			       caps_to_name(__builtin_ctzll(added & dropped)));
	r = parse_caps(c->default_caps, c->n_default_caps, &base, &all_default, err);
	if (r < 0)
		return r;
	for (size_t i = 0; c->n_default_caps == 0 && i < ARRAY_SIZE(default_caps); i++)
		base |= CAPS_BIT(caps_from_name(default_caps[i]));
	if (c->privileged || add_all || all_default)
		base = all;
	if (drop_all)
		base = 0;
	*ret_bounding = ((base & ~dropped) | added) & all;
	*ret_added = (add_all ? all & ~dropped : added) & all;
	return 0;
}

void specgen_cap_names(uint64_t caps, char ***list, size_t *n)
{
	for (int cap = 0; cap < 64; cap++)
		if ((caps & CAPS_BIT(cap)) && caps_to_name(cap))
			json_strings_add(list, n, caps_to_name(cap));
}

/* Root has all that the bounding set leaves; others only what was asked for by name. */
static int add_capabilities(struct oci_process *p, const struct container_config *c,
			    const struct spec_facts *f, struct err *err)
{
	struct oci_capabilities *caps = p->capabilities = xcalloc(1, sizeof(*caps));
	uint64_t bounding = 0;
	uint64_t added = 0;
	uint64_t named = 0;
	int r = specgen_capabilities(c, f->last_cap, &bounding, &added, err);

	bool any;

	if (r == 0)
		r = parse_caps(c->cap_add, c->n_cap_add, &named, &any, err);
	if (r < 0)
		return r;
	/* "All" are those that there are; of one that is asked for by name, the runtime says that there is not. */
	bounding &= ~f->missing_caps | named;
	added &= ~f->missing_caps | named;
	specgen_cap_names(bounding, &caps->bounding, &caps->n_bounding);
	if (f->user.uid == 0) {
		specgen_cap_names(bounding, &caps->effective, &caps->n_effective);
		specgen_cap_names(bounding, &caps->permitted, &caps->n_permitted);
		return 0;
	}
	specgen_cap_names(added, &caps->effective, &caps->n_effective);
	specgen_cap_names(added, &caps->permitted, &caps->n_permitted);
	specgen_cap_names(added, &caps->inheritable, &caps->n_inheritable);
	specgen_cap_names(added, &caps->ambient, &caps->n_ambient);
	return 0;
}

static bool is_unmasked(const struct container_config *c, const char *path)
{
	for (size_t i = 0; i < c->n_unmask; i++)
		if (strcasecmp(c->unmask[i], "all") == 0 ||
		    fnmatch(c->unmask[i], path, FNM_PATHNAME) == 0)
			return true;
	return false;
}

static void add_masks(struct oci_linux *l, const struct container_config *c)
{
	if (!c->privileged) {
		for (size_t i = 0; i < ARRAY_SIZE(masked_paths); i++)
			if (!is_unmasked(c, masked_paths[i]))
				json_strings_add(&l->masked_paths, &l->n_masked_paths,
						 masked_paths[i]);
		for (size_t i = 0; i < ARRAY_SIZE(readonly_paths); i++)
			if (!is_unmasked(c, readonly_paths[i]))
				json_strings_add(&l->readonly_paths, &l->n_readonly_paths,
						 readonly_paths[i]);
	}
	json_strings_add_all(&l->masked_paths, &l->n_masked_paths, c->mask, c->n_mask);
}

static bool is_hidden(const struct oci_linux *l, const char *path)
{
	return specgen_has_option(l->masked_paths, l->n_masked_paths, path) ||
	       specgen_has_option(l->readonly_paths, l->n_readonly_paths, path);
}

static void unmask_others(const struct oci_linux *l, const char *const *paths, size_t n,
			  struct container_config *c)
{
	for (size_t i = 0; i < n; i++)
		if (!is_hidden(l, paths[i]) &&
		    !specgen_has_option(c->unmask, c->n_unmask, paths[i]))
			json_strings_add(&c->unmask, &c->n_unmask, paths[i]);
}

static bool is_masked_anyway(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(masked_paths); i++)
		if (str_eq(masked_paths[i], path))
			return true;
	return false;
}

void specgen_masks_of(const struct oci_linux *l, struct container_config *c)
{
	for (size_t i = 0; i < l->n_masked_paths; i++)
		if (c->privileged || !is_masked_anyway(l->masked_paths[i]))
			json_strings_add(&c->mask, &c->n_mask, l->masked_paths[i]);
	if (c->privileged)
		return;
	unmask_others(l, masked_paths, ARRAY_SIZE(masked_paths), c);
	unmask_others(l, readonly_paths, ARRAY_SIZE(readonly_paths), c);
}

int specgen_security(struct runtime_spec *spec, const struct container_config *c,
		     const struct spec_facts *f, struct err *err)
{
	struct oci_process *p = spec->process;
	struct oci_linux *l = spec->linux_;

	p->no_new_privileges = c->no_new_privileges;
	p->apparmor_profile = xstrdup(f->apparmor_profile);
	p->selinux_label = xstrdup(c->selinux_process);
	l->mount_label = xstrdup(c->selinux_mount);
	add_masks(l, c);
	return add_capabilities(p, c, f, err);
}
