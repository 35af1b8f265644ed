/* SPDX-License-Identifier: Apache-2.0 */
/* Carries plans out: which directory a write goes to, what may be skipped, and what an error means. */
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/log.h"
#include "core/parse.h"
#include "core/str.h"
#include "runtime/cgroup/backend_internal.h"
#include "runtime/cgroup/devices_bpf.h"
#include "runtime/cgroup/plan_v1.h"
#include "runtime/cgroup/plan_v2.h"

/* The file that was written last stays open: device rules are a dozen writes to one file. */
struct executor {
	struct cgroup *cg;
	struct cgroup_node *node;
	const char *file; /* borrowed from the plan */
	int fd;
};

static void executor_done(struct executor *x)
{
	close_fd(&x->fd);
}

DEFINE_AUTO_VAL(executor, struct executor, executor_done)
#define auto_executor auto_cleanup(executor_cleanup_val)

static int write_file(struct executor *x, struct cgroup_node *node, const char *file,
		      const char *value)
{
	size_t len = strlen(value);
	ssize_t n;

	if (x->fd < 0 || x->node != node || !str_eq(x->file, file)) {
		close_fd(&x->fd);
		x->fd = cgroup_node_open(node, file, O_WRONLY);
		if (x->fd < 0)
			return x->fd;
		x->node = node;
		x->file = file;
	}
	n = RETRY_EINTR(pwrite(x->fd, value, len, 0));
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

static struct cgroup_node *node_of_write(struct executor *x, const struct cgroup_write *w)
{
	struct cgroup_node *node = cgroup_node_find(x->cg, w->controller);

	/* A hybrid host may have a controller in its v2 tree. */
	if (!node && !x->cg->is_v2)
		node = cgroup_unified(x->cg);
	return node;
}

static int not_available(struct executor *x, const struct cgroup_write *w, const char *controller,
			 struct err *err)
{
	if (x->cg->tolerate_denied)
		return err_set(err, ERR_UNSUPPORTED,
			       "cannot set %s limit: container could not join or create cgroup of "
			       "its own for linux.resources.%s; delegate one to this user",
			       controller, w->limit);
	return err_set(err, ERR_UNSUPPORTED,
		       "cannot set %s: the cgroup controller '%s' is not available", w->limit,
		       controller);
}

/* "memory.max" belongs to "memory". */
static char *controller_of_file(const char *file)
{
	return xstrndup(file, strcspn(file, "."));
}

static int too_low(struct cgroup_node *node, const char *value, struct err *err)
{
	auto_strbuf struct strbuf usage = STRBUF_INIT;
	auto_strbuf struct strbuf peak = STRBUF_INIT;

	(void)cgroup_node_read(node, "memory.usage_in_bytes", &usage);
	(void)cgroup_node_read(node, "memory.max_usage_in_bytes", &peak);
	return err_set(err, ERR_STATE,
		       "unable to set memory limit to %s (current usage: %s, peak usage: %s)",
		       value, usage.buf, peak.buf);
}

static int write_failed(struct executor *x, const struct cgroup_write *w, struct cgroup_node *node,
			int code, struct err *err)
{
	auto_free char *controller = controller_of_file(w->file);

	/* v2 has no file for a controller that is not passed down; v1 has it from the mount on. */
	if ((code == -ENOENT || code == -EPERM || code == -EACCES) && node->unified &&
	    !str_eq(controller, "cgroup") &&
	    !cgroup_node_lists(node, "cgroup.controllers", controller))
		return not_available(x, w, controller, err);
	if (code == -EBUSY && str_eq(w->file, "memory.limit_in_bytes"))
		return too_low(node, w->value, err);
	return err_sys(err, code, "set %s: write '%s' to '%s/%s'", w->limit, w->value, node->path,
		       w->file);
}

/* One write with its fall-back. *ret_deferred: to be done again at the end of the group. */
static int execute_one(struct executor *x, const struct cgroup_write *w, bool may_defer,
		       bool *ret_deferred, struct err *err)
{
	struct cgroup_node *node = node_of_write(x, w);
	int r;

	if (!node)
		return w->flags & CGROUP_WRITE_OPTIONAL ? 0 :
							  not_available(x, w, w->controller, err);
	r = write_file(x, node, w->file, w->value);
	if (r == -ENOENT && w->fallback_file)
		r = write_file(x, node, w->fallback_file,
			       w->fallback_value ? w->fallback_value : w->value);
	if (r == -ENOENT && (w->flags & CGROUP_WRITE_OPTIONAL))
		return 0;
	if (r == -EINVAL && may_defer && (w->flags & CGROUP_WRITE_DEFER)) {
		*ret_deferred = true;
		return 0;
	}
	return r < 0 ? write_failed(x, w, node, r, err) : 0;
}

/* The writes from `begin` on that are of the same controller; *ret_end is behind them. */
static int execute_group(struct executor *x, const struct cgroup_plan *plan, size_t begin,
			 size_t *ret_end, struct err *err)
{
	const char *controller = plan->v[begin].controller;
	auto_free bool *deferred = xcalloc(plan->n - begin, sizeof(*deferred));
	size_t end = begin;
	int r;

	for (; end < plan->n && str_eq(plan->v[end].controller, controller); end++) {
		r = execute_one(x, &plan->v[end], true, &deferred[end - begin], err);
		if (r < 0)
			return r;
	}
	for (size_t i = begin; i < end; i++) {
		if (!deferred[i - begin])
			continue;
		r = execute_one(x, &plan->v[i], false, NULL, err);
		if (r < 0)
			return r;
	}
	*ret_end = end;
	return 0;
}

static uint64_t read_u64(struct cgroup_node *node, const char *file)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	uint64_t v;

	if (cgroup_node_read(node, file, &text) < 0 || parse_u64(text.buf, &v) < 0)
		return 0;
	return v;
}

int cgroup_check_usage(struct cgroup *cg, const struct cgroup_plan *plan, struct err *err)
{
	struct cgroup_node *node = cgroup_node_find(cg, "memory");
	uint64_t memory;
	uint64_t both;

	if (!node || (plan->check_memory <= 0 && plan->check_memory_and_swap <= 0))
		return 0;
	memory = read_u64(node, "memory.current");
	both = memory + read_u64(node, "memory.swap.current");
	if (plan->check_memory_and_swap > 0 && (uint64_t)plan->check_memory_and_swap <= both)
		return err_set(err, ERR_STATE,
			       "rejecting memory+swap limit %" PRId64 " <= usage %" PRIu64,
			       plan->check_memory_and_swap, both);
	if (plan->check_memory > 0 && (uint64_t)plan->check_memory <= memory)
		return err_set(err, ERR_STATE,
			       "rejecting memory limit %" PRId64 " <= usage %" PRIu64,
			       plan->check_memory, memory);
	return 0;
}

int cgroup_execute(struct cgroup *cg, const struct cgroup_plan *plan, struct err *err)
{
	auto_executor struct executor x = { .cg = cg, .fd = -EBADF };
	int r = cgroup_check_usage(cg, plan, err);

	cg->has_written |= r == 0 && plan->n > 0;
	for (size_t i = 0; r == 0 && i < plan->n;)
		r = execute_group(&x, plan, i, &i, err);
	return r;
}

/* On hybrid hosts hugetlb may be in the v2 tree, where nobody has passed it down yet. */
static bool hugetlb_is_unified(struct cgroup *cg, const struct oci_resources *res)
{
	struct cgroup_node *node = cgroup_unified(cg);

	if (!node || res->n_hugepage_limits == 0 || cgroup_node_find(cg, "hugetlb"))
		return false;
	cgroup_fs_enable_controller(node, "hugetlb");
	return cgroup_node_lists(node, "cgroup.controllers", "hugetlb");
}

static int plan_v1(struct cgroup *cg, struct cgroup_plan *plan, const struct oci_resources *res,
		   struct err *err)
{
	struct oci_resources rest = *res; /* borrows everything */
	bool split = hugetlb_is_unified(cg, res);
	int r;

	if (split)
		rest.n_hugepage_limits = 0;
	r = cgroup_plan_v1(plan, &rest, err);
	if (r == 0 && split) {
		r = cgroup_plan_check_resources(res, err);
		if (r == 0)
			cgroup_plan_v2_hugetlb(plan, res);
	}
	return r;
}

int cgroup_plan_limits(struct cgroup *cg, struct cgroup_plan *plan, const struct oci_resources *res,
		       struct err *err)
{
	int r = cg->is_v2 ? cgroup_plan_v2(plan, res, err) : plan_v1(cg, plan, res, err);

	if (r == 0)
		cgroup_plan_warn_ignored(res);
	return r;
}

int cgroup_apply_limits(struct cgroup *cg, const struct oci_resources *res, struct err *err)
{
	auto_cgroup_plan struct cgroup_plan plan = CGROUP_PLAN_INIT;
	int r = cgroup_plan_limits(cg, &plan, res, err);

	return r < 0 ? r : cgroup_execute(cg, &plan, err);
}

/* --- devices ------------------------------------------------------------------------------- */

static int apply_devices_v1(struct cgroup *cg, const struct device_rules *rules, struct err *err)
{
	auto_cgroup_plan struct cgroup_plan plan = CGROUP_PLAN_INIT;
	int r = cgroup_plan_v1_devices(&plan, rules, err);

	return r < 0 ? r : cgroup_execute(cg, &plan, err);
}

static int apply_devices_v2(struct cgroup_node *node, const struct device_rules *rules,
			    struct err *err)
{
	auto_devices_bpf struct devices_bpf program = DEVICES_BPF_INIT;
	auto_close int dir_fd = -EBADF;
	auto_close int program_fd = -EBADF;
	bool is_new = node->made_from > 0 && !node->has_program;
	int r;

	if (device_rules_allow_all(rules) && is_new)
		return 0; /* nothing is attached that would forbid */
	dir_fd = fd_open_at(AT_FDCWD, node->path, O_RDONLY | O_DIRECTORY, 0);
	if (dir_fd < 0)
		return err_sys(err, dir_fd, "open cgroup '%s'", node->path);
	devices_bpf_generate(&program, rules);
	program_fd = devices_bpf_load(&program, err);
	if (program_fd < 0)
		return program_fd;
	r = devices_bpf_attach(dir_fd, program_fd, is_new, err);
	node->has_program |= r == 0;
	return r;
}

static int apply_devices(struct cgroup *cg, const struct device_rules *rules, struct err *err)
{
	struct cgroup_node *unified = cgroup_unified(cg);

	if (!cg->is_v2 && cgroup_node_find(cg, "devices"))
		return apply_devices_v1(cg, rules, err);
	if (unified)
		return apply_devices_v2(unified, rules, err);
	if (device_rules_allow_all(rules))
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		       "cannot restrict devices: neither the v1 cgroup controller 'devices' nor a "
		       "cgroup v2 tree is available");
}

int cgroup_apply_devices(struct cgroup *cg, const struct oci_resources *res, struct err *err)
{
	struct device_rules rules = { 0 };
	struct err failure = ERR_INIT;
	int r;

	if (cg->has_device_rules) {
		cg->has_device_rules = false;
		return 0;
	}
	r = device_rules_from_resources(&rules, res, err);
	if (r < 0)
		return r;
	r = apply_devices(cg, &rules, &failure);
	device_rules_done(&rules);
	if (r < 0 && cg->rootless) {
		/* Without privilege over the devices there is none over their nodes either. */
		log_debug("%s", failure.msg);
		return 0;
	}
	if (r < 0 && err)
		*err = failure;
	return r;
}

int cgroup_apply_before_entry(struct cgroup *cg, const struct oci_resources *res, struct err *err)
{
	int r;

	if (cg->is_v2 || !cgroup_node_find(cg, "devices"))
		return 0;
	r = cgroup_apply_devices(cg, res, err);
	cg->has_device_rules = r == 0;
	return r;
}
