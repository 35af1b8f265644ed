/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/mount/plan.h"

#include <sys/mount.h>

#include "core/alloc.h"
#include "core/log.h"
#include "core/path.h"
#include "core/str.h"
#include "kernel/mountflags.h"
#include "runtime/mount/plan_idmap.h"

#define ANNOTATION_CONTEXT_TYPE "run.oci.mount_context_type"
#define ANNOTATION_FORCE_V1 "run.oci.systemd.force_cgroup_v1"

/* The group that owns terminals, as every distribution numbers it. */
#define TTY_GID 5

struct plan_input {
	const struct runtime_spec *spec;
	const struct mount_facts *facts;
	const char *rootfs; /* its path on the host, cleaned; "/" when there is none */
	const char *label; /* NULL: none */
	const char *label_key;
	const char *force_v1; /* destination, or NULL */
};

void mount_facts_init(struct mount_facts *ret, const struct runtime_spec *spec, const char *bundle)
{
	const struct oci_linux *linux_ = spec->linux_;
	const struct {
		const char *type;
		bool *has;
	} kinds[] = {
		{ "user", &ret->has_user_ns }, { "mount", &ret->has_mount_ns },
		{ "pid", &ret->has_pid_ns },   { "network", &ret->has_net_ns },
		{ "ipc", &ret->has_ipc_ns },   { "cgroup", &ret->has_cgroup_ns },
	};

	*ret = (struct mount_facts){ .bundle = bundle };
	for (size_t i = 0; linux_ && i < linux_->n_namespaces; i++)
		for (size_t j = 0; j < ARRAY_SIZE(kinds); j++)
			if (str_eq(linux_->namespaces[i].type, kinds[j].type))
				*kinds[j].has = true;
}

static void op_done(struct mount_op *op)
{
	free(op->destination);
	free(op->source);
	free(op->type);
	strvec_done(&op->data);
	free(op->propagation);
	free(op->uid_mappings);
	free(op->gid_mappings);
	free(op->label_key);
	*op = (struct mount_op){ 0 };
}

static void free_list(char ***list, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		free((*list)[i]);
	replace_ptr(*list, NULL);
	*n = 0;
}

void mount_plan_done(struct mount_plan *plan)
{
	for (size_t i = 0; i < plan->n_ops; i++)
		op_done(&plan->ops[i]);
	free(plan->ops);
	free(plan->bundle);
	free(plan->label);
	free_list(&plan->masked_paths, &plan->n_masked_paths);
	free_list(&plan->readonly_paths, &plan->n_readonly_paths);
	*plan = (struct mount_plan)MOUNT_PLAN_INIT;
}

/*
 * What a mount without any option gets, by its destination (crun's defaults).
 */
static const struct default_options {
	const char *destination;
	const char *options[6]; /* ends with NULL */
} default_options[] = {
	{ "/dev", { "noexec", "strictatime", "mode=755" } },
	{ "/dev/shm", { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" } },
	{ "/dev/pts", { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=620" } },
	{ "/dev/mqueue", { "nosuid", "noexec", "nodev" } },
	{ "/sys", { "nosuid", "noexec", "nodev" } },
	{ "/sys/fs/cgroup", { "nosuid", "noexec", "strictatime" } },
	{ "/dev/cgroup", { "nosuid", "noexec", "strictatime" } },
};

static bool maps_gid(const struct runtime_spec *spec, uint32_t gid)
{
	const struct oci_linux *linux_ = spec->linux_;

	for (size_t i = 0; linux_ && i < linux_->n_gid_mappings; i++) {
		const struct oci_id_mapping *m = &linux_->gid_mappings[i];

		if (gid >= m->container_id && gid - m->container_id < m->size)
			return true;
	}
	return false;
}

static void add_default_options(const struct plan_input *in, const char *destination,
				struct strvec *options)
{
	for (size_t i = 0; i < ARRAY_SIZE(default_options); i++) {
		if (strcmp(default_options[i].destination, destination) != 0)
			continue;
		for (size_t j = 0; default_options[i].options[j]; j++)
			strvec_add(options, default_options[i].options[j]);
		if (strcmp(destination, "/dev/pts") == 0 && !in->facts->is_rootless &&
		    (!in->facts->has_user_ns || maps_gid(in->spec, TTY_GID)))
			strvec_addf(options, "gid=%d", TTY_GID);
		return;
	}
}

/*
 * One mount
 */

static bool has_option(const struct strvec *data, const char *prefix)
{
	for (size_t i = 0; i < data->n; i++)
		if (str_has_prefix(data->v[i], prefix))
			return true;
	return false;
}

static int choose_kind(const struct oci_mount *mount, const struct mount_options *o,
		       const struct plan_input *in, enum mount_op_kind *ret, struct err *err)
{
	static const struct {
		const char *type;
		enum mount_op_kind kind;
	} kinds[] = {
		{ "tmpfs", MOUNT_OP_TMPFS },   { "proc", MOUNT_OP_PROC },
		{ "sysfs", MOUNT_OP_SYSFS },   { "mqueue", MOUNT_OP_MQUEUE },
		{ "cgroup", MOUNT_OP_CGROUP },
	};

	*ret = MOUNT_OP_FS;
	if (o->set & MS_REMOUNT)
		*ret = MOUNT_OP_REMOUNT;
	else if (o->set & MS_BIND)
		*ret = MOUNT_OP_BIND;
	else if (str_is_empty(mount->type))
		return err_set(err, ERR_INVALID,
			       "type is missing; only a mount with the option 'bind' or 'rbind'"
			       " goes without");
	else if (str_eq(mount->type, "bind") || str_eq(mount->type, "rbind"))
		return err_set(err, ERR_INVALID,
			       "type '%s' alone makes no bind mount; add '%s' to its options",
			       mount->type, mount->type);
	for (size_t i = 0; *ret == MOUNT_OP_FS && i < ARRAY_SIZE(kinds); i++)
		if (strcmp(mount->type, kinds[i].type) == 0)
			*ret = kinds[i].kind;
	if (*ret == MOUNT_OP_FS && str_eq(mount->type, "cgroup2") &&
	    in->facts->cgroup_mode == MOUNT_CGROUP_V2)
		*ret = MOUNT_OP_CGROUP;
	return 0;
}

/*
 * The attributes of a bind as runc's remount gives them: when the options name any flag, the flags
 * become exactly those named, and what was inherited from the source goes unless it is locked; when
 * they name none, all is inherited. Access times stay unless named.
 */
static void plan_bind_attributes(struct mount_op *op, const struct mount_options *o)
{
	unsigned long set = o->set & MOUNTFLAGS_OF_MOUNT;
	unsigned long cleared = o->cleared & MOUNTFLAGS_OF_MOUNT;
	const unsigned long atime = MOUNTFLAGS_ATIME | MS_NODIRATIME;
	const uint64_t nodiratime = MOUNT_ATTR_NODIRATIME;

	if (!(o->set & ~(unsigned long)(MS_BIND | MS_REC)) && !o->cleared)
		return;
	op->attr_set = mountflags_to_attr(set);
	op->attr_clear = mountflags_to_attr(cleared & ~atime);
	op->attr_drop = (op->attr_clear | MOUNTFLAGS_ATTR_BITS) & ~op->attr_set;
	/* Only a choice of access times changes them, and then as a whole, as the remount of mount(2)
	 * has it: "atime", "diratime", "norelatime" choose nothing. The field has values, not bits. */
	if (set & atime) {
		op->attr_clear |= MOUNT_ATTR__ATIME | (mountflags_to_attr(cleared) & nodiratime);
		op->attr_drop |= MOUNT_ATTR__ATIME;
	} else {
		op->attr_drop &= ~nodiratime;
	}
}

static int plan_bind(struct mount_op *op, const struct oci_mount *mount,
		     const struct mount_options *o, const struct plan_input *in, struct err *err)
{
	if (str_is_empty(mount->source))
		return err_set(err, ERR_INVALID, "source of the bind mount is missing");
	if (o->data.n)
		return err_set(err, ERR_INVALID,
			       "bind mounts cannot have any filesystem-specific options applied"
			       " ('%s')",
			       o->data.v[0]);
	op->source = mount->source[0] == '/' ? xstrdup(mount->source) :
					       path_join(in->facts->bundle, mount->source);
	op->recursive = o->set & MS_REC;
	op->src_nofollow = o->src_nofollow;
	op->dest_nofollow = o->dest_nofollow;
	op->copy_symlink = o->copy_symlink;
	plan_bind_attributes(op, o);
	return 0;
}

static const char *label_key(const struct mount_op *op, const struct plan_input *in)
{
	if (!in->label || op->kind == MOUNT_OP_PROC || op->kind == MOUNT_OP_SYSFS ||
	    op->kind == MOUNT_OP_CGROUP)
		return NULL;
	return in->label_key;
}

static void plan_fs(struct mount_op *op, const struct oci_mount *mount,
		    const struct mount_options *o, const struct plan_input *in, const char *clean)
{
	const char *key = label_key(op, in);

	op->type = xstrdup(mount->type);
	op->source = str_is_empty(mount->source) ? NULL : xstrdup(mount->source);
	op->flags = o->set & ~(unsigned long)(MS_BIND | MS_REC | MS_REMOUNT);
	strvec_add_all(&op->data, o->data.v, o->data.n);
	op->inherit_mode = op->kind == MOUNT_OP_TMPFS && !has_option(&o->data, "mode=");
	op->label_key = key ? xstrdup(key) : NULL;
	/* Devices, mount points and copied content are still to be made in these. */
	if ((op->flags & MS_RDONLY) && (op->kind == MOUNT_OP_TMPFS || strcmp(clean, "/dev") == 0)) {
		op->flags &= ~(unsigned long)MS_RDONLY;
		op->readonly_later = true;
	}
}

static void plan_remount(struct mount_op *op, const struct oci_mount *mount,
			 const struct mount_options *o)
{
	op->type = str_is_empty(mount->type) ? NULL : xstrdup(mount->type);
	op->source = str_is_empty(mount->source) ? NULL : xstrdup(mount->source);
	op->flags = o->set & ~(unsigned long)MS_REC;
	strvec_add_all(&op->data, o->data.v, o->data.n);
}

static int check_only_for_bind(const struct mount_op *op, const struct mount_options *o,
			       struct err *err)
{
	const char *option = o->copy_symlink  ? "copy-symlink" :
			     o->src_nofollow  ? "src-nofollow" :
			     o->dest_nofollow ? "dest-nofollow" :
						NULL;

	if (op->kind != MOUNT_OP_BIND && option)
		return err_set(err, ERR_INVALID, "option '%s' is for bind mounts only", option);
	if (op->kind != MOUNT_OP_TMPFS && o->tmpcopyup)
		return err_set(err, ERR_INVALID, "tmpcopyup can be used only with tmpfs");
	return 0;
}

/* run.oci.systemd.force_cgroup_v1: systemd's named hierarchy takes the place of the mount there. */
static void plan_forced_v1(struct mount_op *op)
{
	op->kind = MOUNT_OP_FS;
	replace_ptr(op->type, xstrdup("cgroup"));
	replace_ptr(op->source, xstrdup("cgroup"));
	strvec_done(&op->data);
	strvec_add(&op->data, "none");
	strvec_add(&op->data, "name=systemd");
	strvec_add(&op->data, "xattr");
	op->flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	op->readonly_later = false;
}

static int plan_options(struct mount_op *op, const struct oci_mount *mount, struct mount_options *o,
			const struct plan_input *in, const char *clean, struct err *err)
{
	int r = choose_kind(mount, o, in, &op->kind, err);

	if (r == 0)
		r = check_only_for_bind(op, o, err);
	if (r == 0)
		r = plan_idmap(op, mount, o, in->spec, in->facts, err);
	if (r < 0)
		return r;
	if (op->kind == MOUNT_OP_BIND)
		r = plan_bind(op, mount, o, in, err);
	else if (op->kind == MOUNT_OP_REMOUNT)
		plan_remount(op, mount, o);
	else
		plan_fs(op, mount, o, in, clean);
	op->rec_set = o->rec_set;
	op->rec_clear = o->rec_clear;
	op->propagation = take_ptr(o->propagation);
	op->n_propagation = o->n_propagation;
	op->tmpcopyup = o->tmpcopyup;
	if (in->force_v1 && op->kind == MOUNT_OP_CGROUP && strcmp(clean, in->force_v1) == 0)
		plan_forced_v1(op);
	return r;
}

/* Lexically; path is cleaned. Of a container whose root is "/" all is below it, which says nothing. */
static bool is_below_rootfs(const struct plan_input *in, const char *path)
{
	return strcmp(in->rootfs, "/") != 0 && path_is_below(path, in->rootfs);
}

/*
 * Relative ones are deprecated and mean the root. One that has the path of the rootfs on the host in
 * front is meant to be below it, as runc understands it.
 */
static char *plan_destination(const struct oci_mount *mount, const struct plan_input *in)
{
	auto_free char *clean = NULL;

	if (mount->destination[0] != '/') {
		log_warning("mount destination '%s' is not absolute; taken as '/%s'",
			    mount->destination, mount->destination);
		return xasprintf("/%s", mount->destination);
	}
	clean = path_clean(mount->destination);
	return xstrdup(is_below_rootfs(in, clean) && clean[strlen(in->rootfs)] ?
			       clean + strlen(in->rootfs) :
			       mount->destination);
}

static int plan_mount(struct mount_op *op, const struct oci_mount *mount,
		      const struct plan_input *in, struct err *err)
{
	auto_mount_options struct mount_options o = MOUNT_OPTIONS_INIT;
	auto_strvec struct strvec defaults = STRVEC_INIT;
	auto_free char *clean = NULL;
	int r;

	if (str_is_empty(mount->destination))
		return err_set(err, ERR_INVALID, "destination is missing");
	op->destination = plan_destination(mount, in);
	clean = path_clean(op->destination);
	if (strcmp(clean, "/") == 0)
		return err_set(err, ERR_INVALID, "a mount cannot cover the root file system");
	if (mount->n_options == 0)
		add_default_options(in, clean, &defaults);
	r = mount->n_options ? mount_options_parse(&o, mount->options, mount->n_options, err) :
			       mount_options_parse(&o, defaults.v, defaults.n, err);
	return r < 0 ? r : plan_options(op, mount, &o, in, clean, err);
}

/*
 * The whole
 */

static int plan_root_propagation(struct mount_plan *plan, const struct oci_linux *linux_,
				 struct err *err)
{
	const struct mountflag_word *word;

	plan->root_propagation = MS_SLAVE | MS_REC;
	if (!linux_ || str_is_empty(linux_->rootfs_propagation))
		return 0;
	word = mountflags_find(&mountflags_propagation, linux_->rootfs_propagation);
	if (!word)
		return err_set(err, ERR_INVALID,
			       "linux.rootfsPropagation '%s' is not one of private, slave, shared,"
			       " unbindable or these with an 'r' in front",
			       linux_->rootfs_propagation);
	plan->root_propagation = (unsigned long)word->flag;
	plan->has_root_propagation = true;
	return 0;
}

static void copy_paths(char ***list, size_t *n, char *const *paths, size_t n_paths)
{
	for (size_t i = 0; i < n_paths; i++) {
		auto_free char *path = paths[i][0] == '/' ? xstrdup(paths[i]) :
							    xasprintf("/%s", paths[i]);
		bool known = false;

		for (size_t j = 0; j < *n && !known; j++)
			known = strcmp((*list)[j], path) == 0;
		if (!known)
			*array_push(*list, *n) = take_ptr(path);
	}
}

static char *host_path_of_rootfs(const struct runtime_spec *spec, const char *bundle)
{
	if (!spec->root || str_is_empty(spec->root->path))
		return xstrdup("/");
	return spec->root->path[0] == '/' ? path_clean(spec->root->path) :
					    path_join(bundle, spec->root->path);
}

static int make_input(struct plan_input *in, struct err *err)
{
	static const char *const keys[] = { "context", "fscontext", "defcontext", "rootcontext" };
	const struct oci_linux *linux_ = in->spec->linux_;
	const char *key = runtime_spec_annotation(in->spec, ANNOTATION_CONTEXT_TYPE);

	in->label = linux_ && !str_is_empty(linux_->mount_label) ? linux_->mount_label : NULL;
	in->label_key = keys[0];
	in->force_v1 = runtime_spec_annotation(in->spec, ANNOTATION_FORCE_V1);
	for (size_t i = 0; key && i < ARRAY_SIZE(keys); i++) {
		if (strcmp(key, keys[i]) == 0) {
			in->label_key = keys[i];
			key = NULL;
		}
	}
	if (key)
		return err_set(err, ERR_INVALID,
			       "annotation " ANNOTATION_CONTEXT_TYPE " is '%s'; it can be context,"
			       " fscontext, defcontext or rootcontext",
			       key);
	return 0;
}

/* Whether the parent has to open the source: see exec.h. */
static bool needs_slot(const struct mount_op *op, const struct mount_facts *facts)
{
	return op->kind == MOUNT_OP_BIND && !facts->is_rootless &&
	       (facts->has_user_ns || facts->sources_outside || op->idmap != MOUNT_IDMAP_NONE);
}

static void plan_slot(struct mount_plan *plan, struct mount_op *op, const struct plan_input *in)
{
	auto_free char *clean = path_clean(op->source);

	op->source_inside = is_below_rootfs(in, clean);
	if (!op->source_inside)
		op->source_slot = (int)plan->n_sources++;
}

static int plan_mounts(struct mount_plan *plan, const struct plan_input *in, struct err *err)
{
	const struct runtime_spec *spec = in->spec;

	if (!in->facts->has_mount_ns) {
		if (spec->n_mounts)
			log_warning("mounts are left out: the container has no mount namespace of"
				    " its own");
		return 0;
	}
	for (size_t i = 0; i < spec->n_mounts; i++) {
		struct mount_op *op = array_push(plan->ops, plan->n_ops);
		int r;

		op->index = i;
		op->source_slot = -1;
		r = plan_mount(op, &spec->mounts[i], in, err);
		if (r < 0)
			return err_wrap(err, r, "mounts[%zu] '%s'", i,
					spec->mounts[i].destination ? spec->mounts[i].destination :
								      "");
		if (needs_slot(op, in->facts))
			plan_slot(plan, op, in);
	}
	return 0;
}

int mount_plan_make(struct mount_plan *ret, const struct runtime_spec *spec,
		    const struct mount_facts *facts, struct err *err)
{
	auto_mount_plan struct mount_plan plan = MOUNT_PLAN_INIT;
	struct plan_input in = { .spec = spec, .facts = facts };
	const struct oci_linux *linux_ = spec->linux_;
	auto_free char *rootfs = NULL;
	int r;

	in.rootfs = rootfs = host_path_of_rootfs(spec, facts->bundle);
	plan.facts = *facts;
	plan.bundle = xstrdup(facts->bundle);
	plan.facts.bundle = plan.bundle;
	plan.root_readonly = spec->root && spec->root->readonly;
	r = plan_root_propagation(&plan, linux_, err);
	if (r == 0)
		r = make_input(&in, err);
	if (r == 0)
		r = plan_mounts(&plan, &in, err);
	if (r < 0)
		return r;
	plan.label = in.label ? xstrdup(in.label) : NULL;
	if (linux_) {
		copy_paths(&plan.masked_paths, &plan.n_masked_paths, linux_->masked_paths,
			   linux_->n_masked_paths);
		copy_paths(&plan.readonly_paths, &plan.n_readonly_paths, linux_->readonly_paths,
			   linux_->n_readonly_paths);
	}
	*ret = plan;
	plan = (struct mount_plan)MOUNT_PLAN_INIT;
	return 0;
}

bool mount_plan_has_bind_at(const struct mount_plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->n_ops; i++) {
		auto_free char *clean = path_clean(plan->ops[i].destination);

		if (plan->ops[i].kind == MOUNT_OP_BIND && strcmp(clean, path) == 0)
			return true;
	}
	return false;
}
