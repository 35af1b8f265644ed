/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/restore_spec.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/path.h"
#include "core/str.h"

/* Two names of the same place, wherever /var/run is a link to /run. */
static const char *place(const char *destination)
{
	return str_has_prefix(destination, "/var/run/") ? destination + 4 : destination;
}

static struct oci_mount *find_mount(struct runtime_spec *spec, const char *destination)
{
	for (size_t i = 0; i < spec->n_mounts; i++)
		if (spec->mounts[i].destination &&
		    str_eq(place(spec->mounts[i].destination), place(destination)))
			return &spec->mounts[i];
	return NULL;
}

static void set_source(struct runtime_spec *spec, const char *destination, const char *source)
{
	struct oci_mount *m = find_mount(spec, destination);

	if (m)
		replace_ptr(m->source, xstrdup(source));
}

static void set_sources(struct runtime_spec *spec, const struct spec_facts *f)
{
	for (size_t i = 0; i < f->n_binds; i++)
		set_source(spec, f->binds[i].destination, f->binds[i].source);
	for (size_t i = 0; i < f->n_mounts; i++)
		if (str_eq(f->mounts[i].type, "bind") || str_eq(f->mounts[i].type, "volume"))
			set_source(spec, f->mounts[i].destination, f->mounts[i].source);
	if (f->init_path)
		set_source(spec, "/run/podman-init", f->init_path);
}

/* Those that it joined have other paths now. One that it had of its own stays its own. */
static void set_namespaces(struct runtime_spec *spec, const struct spec_facts *f)
{
	for (size_t i = 0; i < spec->linux_->n_namespaces; i++) {
		struct oci_namespace *ns = &spec->linux_->namespaces[i];
		const char *path = NULL;

		for (size_t k = 0; k < f->n_namespaces; k++)
			if (str_eq(f->namespaces[k].type, ns->type))
				path = f->namespaces[k].path;
		replace_ptr(ns->path, xstrdup(path));
	}
}

int restore_spec_adapt(struct runtime_spec *spec, const struct container_config *config,
		       struct spec_facts *f, struct err *err)
{
	struct oci_hooks *frozen_hooks = spec->hooks;

	if (!spec->linux_ || !spec->process)
		return err_set(err, ERR_INVALID,
			       "restore container '%s': its runtime configuration has no %s",
			       config->name, spec->linux_ ? "process" : "linux");
	if (!spec->root)
		spec->root = xcalloc(1, sizeof(*spec->root));
	replace_ptr(spec->root->path, xstrdup(f->rootfs));
	set_sources(spec, f);
	set_namespaces(spec, f);
	replace_ptr(spec->linux_->cgroups_path, xstrdup(f->cgroups_path));
	/* Programs of the host: this one's. Those of the other go with the facts. */
	spec->hooks = take_ptr(f->hooks);
	f->hooks = frozen_hooks;
	return 0;
}
