/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/device/plan.h"

#include <sys/stat.h>

#include "core/alloc.h"
#include "core/path.h"
#include "core/str.h"
#include "core/strbuf.h"

#define DEFAULT_MODE 0666
/* Of the kernel's dev_t (include/linux/kdev_t.h). */
#define MAJOR_MAX ((1 << 12) - 1)
#define MINOR_MAX ((1 << 20) - 1)

static const struct {
	const char *path;
	unsigned int major;
	unsigned int minor;
} default_nodes[] = {
	{ "/dev/null", 1, 3 }, { "/dev/zero", 1, 5 },	{ "/dev/full", 1, 7 },
	{ "/dev/tty", 5, 0 },  { "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 },
};

static const struct device_symlink symlinks[] = {
	{ "/dev/fd", "/proc/self/fd", false, NULL },
	{ "/dev/stdin", "/proc/self/fd/0", false, NULL },
	{ "/dev/stdout", "/proc/self/fd/1", false, NULL },
	{ "/dev/stderr", "/proc/self/fd/2", false, NULL },
	{ "/dev/core", "/proc/kcore", false, "/proc/kcore" },
	{ "/dev/ptmx", "pts/ptmx", true, NULL },
};

static struct device_node *add_node(struct device_plan *plan, const char *path)
{
	struct device_node *node = NULL;

	for (size_t i = 0; i < plan->n_nodes && !node; i++)
		if (strcmp(plan->nodes[i].path, path) == 0)
			node = &plan->nodes[i];
	if (!node) {
		node = array_push(plan->nodes, plan->n_nodes);
		node->path = xstrdup(path);
	}
	return node;
}

static int parse_type(const struct oci_device *device, mode_t *ret, struct err *err)
{
	static const struct {
		const char *type;
		mode_t mode;
	} types[] = { { "c", S_IFCHR }, { "u", S_IFCHR }, { "b", S_IFBLK }, { "p", S_IFIFO } };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!str_eq(device->type, types[i].type))
			continue;
		*ret = types[i].mode;
		return 0;
	}
	return err_set(err, ERR_INVALID, "type '%s' is not one of c, b, u, p",
		       device->type ? device->type : "");
}

static int parse_number(const struct opt_i64 *number, int64_t max, const char *name,
			unsigned int *ret, struct err *err)
{
	if (!number->set)
		return err_set(err, ERR_INVALID, "%s is missing", name);
	if (number->v < 0 || number->v > max)
		return err_set(err, ERR_INVALID, "%s %lld is not between 0 and %lld", name,
			       (long long)number->v, (long long)max);
	*ret = (unsigned int)number->v;
	return 0;
}

static int add_device(struct device_plan *plan, const struct oci_device *device, struct err *err)
{
	struct device_node parsed = { 0 };
	struct device_node *node;
	auto_free char *path = NULL;
	int r;

	if (str_is_empty(device->path))
		return err_set(err, ERR_INVALID, "path is missing");
	path = path_join("/", device->path);
	if (strcmp(path, "/") == 0)
		return err_set(err, ERR_INVALID, "path '%s' is the root directory", device->path);
	r = parse_type(device, &parsed.mode, err);
	if (r == 0 && parsed.mode != S_IFIFO)
		r = parse_number(&device->major, MAJOR_MAX, "major", &parsed.major, err);
	if (r == 0 && parsed.mode != S_IFIFO)
		r = parse_number(&device->minor, MINOR_MAX, "minor", &parsed.minor, err);
	/* In a container /dev/ptmx is always that of its own devpts. */
	if (r < 0 || strcmp(path, "/dev/ptmx") == 0)
		return r;
	parsed.mode |= (device->file_mode.set ? device->file_mode.v : DEFAULT_MODE) & 07777;
	parsed.uid = device->uid.set ? device->uid.v : 0;
	parsed.gid = device->gid.set ? device->gid.v : 0;
	parsed.is_explicit = device->file_mode.set || device->uid.set || device->gid.set;
	node = add_node(plan, path);
	parsed.path = node->path;
	*node = parsed;
	return 0;
}

int device_plan_make(struct device_plan *ret, const struct runtime_spec *spec,
		     const struct mount_plan *mounts, struct err *err)
{
	auto_device_plan struct device_plan plan = DEVICE_PLAN_INIT;
	const struct oci_linux *linux_ = spec->linux_;

	*ret = plan;
	if (!mounts->facts.has_mount_ns || mount_plan_has_bind_at(mounts, "/dev"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(default_nodes); i++) {
		struct device_node *node = add_node(&plan, default_nodes[i].path);

		node->mode = S_IFCHR | DEFAULT_MODE;
		node->major = default_nodes[i].major;
		node->minor = default_nodes[i].minor;
		node->is_default = true;
	}
	for (size_t i = 0; linux_ && i < linux_->n_devices; i++) {
		int r = add_device(&plan, &linux_->devices[i], err);

		if (r < 0)
			return err_wrap(err, r, "linux.devices[%zu] '%s'", i,
					linux_->devices[i].path ? linux_->devices[i].path : "");
	}
	plan.symlinks = symlinks;
	plan.n_symlinks = ARRAY_SIZE(symlinks);
	plan.bind_nodes = mounts->facts.has_user_ns;
	*ret = plan;
	plan = (struct device_plan)DEVICE_PLAN_INIT;
	return 0;
}

void device_plan_done(struct device_plan *plan)
{
	for (size_t i = 0; i < plan->n_nodes; i++)
		free(plan->nodes[i].path);
	free(plan->nodes);
	*plan = (struct device_plan)DEVICE_PLAN_INIT;
}

char *device_plan_to_text(const struct device_plan *plan)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	if (plan->bind_nodes)
		strbuf_adds(&sb, "bind-nodes\n");
	for (size_t i = 0; i < plan->n_nodes; i++) {
		const struct device_node *node = &plan->nodes[i];

		strbuf_addf(&sb, "node %s %c %u:%u %04o %u:%u\n", node->path,
			    S_ISCHR(node->mode) ? 'c' :
			    S_ISBLK(node->mode) ? 'b' :
						  'p',
			    node->major, node->minor, (unsigned int)node->mode & 07777, node->uid,
			    node->gid);
	}
	for (size_t i = 0; i < plan->n_symlinks; i++) {
		const struct device_symlink *link = &plan->symlinks[i];

		strbuf_addf(&sb, "symlink %s %s%s%s%s\n", link->path, link->target,
			    link->replace ? " replace" : "", link->only_if ? " if " : "",
			    link->only_if ? link->only_if : "");
	}
	return strbuf_take(&sb);
}
