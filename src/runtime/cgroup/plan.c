/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/plan.h"

#include <stdarg.h>

#include "core/alloc.h"
#include "core/log.h"
#include "core/str.h"

void cgroup_plan_done(struct cgroup_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		free(plan->v[i].file);
		free(plan->v[i].value);
		free(plan->v[i].fallback_file);
		free(plan->v[i].fallback_value);
	}
	free(plan->v);
	*plan = (struct cgroup_plan)CGROUP_PLAN_INIT;
}

struct cgroup_write *cgroup_plan_add(struct cgroup_plan *plan, const char *controller,
				     const char *limit, const char *file, const char *value_fmt,
				     ...)
{
	struct cgroup_write *w = array_push(plan->v, plan->n);
	va_list ap;

	w->controller = controller;
	w->limit = limit;
	w->file = xstrdup(file);
	va_start(ap, value_fmt);
	w->value = xvasprintf(value_fmt, ap);
	va_end(ap);
	return w;
}

void cgroup_plan_format(const struct cgroup_plan *plan, struct strbuf *sb)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct cgroup_write *w = &plan->v[i];

		strbuf_addf(sb, "%s: %s = '%s'", w->limit, w->file, w->value);
		if (w->fallback_file)
			strbuf_addf(sb, " else %s = '%s'", w->fallback_file,
				    w->fallback_value ? w->fallback_value : w->value);
		if (w->flags & CGROUP_WRITE_OPTIONAL)
			strbuf_adds(sb, " optional");
		if (w->flags & CGROUP_WRITE_DEFER)
			strbuf_adds(sb, " defer");
		strbuf_addc(sb, '\n');
	}
	if (plan->check_memory || plan->check_memory_and_swap)
		strbuf_addf(sb, "check memory %lld swap %lld\n", (long long)plan->check_memory,
			    (long long)plan->check_memory_and_swap);
}

void cgroup_plan_add_rdma(struct cgroup_plan *plan, const struct oci_resources *res)
{
	for (size_t i = 0; i < res->n_rdma; i++) {
		const struct oci_rdma *rdma = &res->rdma[i];
		auto_strbuf struct strbuf value = STRBUF_INIT;

		strbuf_adds(&value, rdma->key);
		if (rdma->hca_handles.set)
			strbuf_addf(&value, " hca_handle=%u", rdma->hca_handles.v);
		if (rdma->hca_objects.set)
			strbuf_addf(&value, " hca_object=%u", rdma->hca_objects.v);
		cgroup_plan_add(plan, "rdma", "rdma", "rdma.max", "%s", value.buf);
	}
}

/* "2MB", "64KB", "1GB": it becomes part of a file name, so nothing else may pass. */
static bool is_page_size(const char *s)
{
	size_t digits = s ? strspn(s, "0123456789") : 0;

	return digits > 0 && digits < 10 && s[0] != '0' && strchr("KMG", s[digits]) && s[digits] &&
	       str_eq(s + digits + 1, "B");
}

static int check_weight(const struct opt_u32 *weight, const char *what, struct err *err)
{
	if (cgroup_wants_u32(weight) && (weight->v < 10 || weight->v > 1000))
		return err_set(err, ERR_INVALID,
			       "invalid %s %u: it must be 0 (not set) or 10 to 1000", what,
			       weight->v);
	return 0;
}

static int check_block_io(const struct oci_block_io *io, struct err *err)
{
	int r = check_weight(&io->weight, "blockIO.weight", err);

	if (r == 0)
		r = check_weight(&io->leaf_weight, "blockIO.leafWeight", err);
	for (size_t i = 0; r == 0 && i < io->n_weight_device; i++) {
		r = check_weight(&io->weight_device[i].weight, "blockIO.weightDevice.weight", err);
		if (r == 0)
			r = check_weight(&io->weight_device[i].leaf_weight,
					 "blockIO.weightDevice.leafWeight", err);
	}
	return r;
}

static bool is_one_word(const char *s)
{
	return !str_is_empty(s) && !strpbrk(s, " \t\n");
}

int cgroup_plan_check_resources(const struct oci_resources *res, struct err *err)
{
	for (size_t i = 0; i < res->n_hugepage_limits; i++)
		if (!is_page_size(res->hugepage_limits[i].page_size))
			return err_set(err, ERR_INVALID,
				       "invalid hugepageLimits[%zu].pageSize '%s': expected a "
				       "size such as '2MB'",
				       i, res->hugepage_limits[i].page_size);
	for (size_t i = 0; i < res->n_rdma; i++)
		if (!is_one_word(res->rdma[i].key))
			return err_set(err, ERR_INVALID, "invalid rdma device name '%s'",
				       res->rdma[i].key);
	for (size_t i = 0; res->network && i < res->network->n_priorities; i++)
		if (!is_one_word(res->network->priorities[i].name))
			return err_set(err, ERR_INVALID,
				       "invalid network.priorities[%zu].name '%s'", i,
				       res->network->priorities[i].name);
	return res->block_io ? check_block_io(res->block_io, err) : 0;
}

void cgroup_plan_warn_ignored(const struct oci_resources *res)
{
	if (res->memory && cgroup_wants_i64(&res->memory->kernel))
		log_warning("memory.kernel is ignored: the kernel has no such limit any more");
}
