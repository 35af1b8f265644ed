/* SPDX-License-Identifier: Apache-2.0 */
/* A mount plan as text. */
#include <sys/mount.h>

#include "core/strbuf.h"
#include "kernel/mountflags.h"
#include "runtime/mount/plan.h"

static const char *const kind_names[] = {
	[MOUNT_OP_FS] = "fs",	    [MOUNT_OP_TMPFS] = "tmpfs",	    [MOUNT_OP_PROC] = "proc",
	[MOUNT_OP_SYSFS] = "sysfs", [MOUNT_OP_MQUEUE] = "mqueue",   [MOUNT_OP_CGROUP] = "cgroup",
	[MOUNT_OP_BIND] = "bind",   [MOUNT_OP_REMOUNT] = "remount",
};

/* The access times are a field: all of its bits together mean that it is replaced. */
static void add_attr(struct strbuf *sb, const char *name, uint64_t attr)
{
	bool atime = (attr & MOUNT_ATTR__ATIME) == MOUNT_ATTR__ATIME;
	uint64_t rest = atime ? attr & ~(uint64_t)MOUNT_ATTR__ATIME : attr;
	auto_free char *text = NULL;

	if (!attr)
		return;
	text = rest ? mountflags_attr_to_text(rest) : NULL;
	strbuf_addf(sb, "  %s %s%s%s\n", name, text ? text : "", text && atime ? "," : "",
		    atime ? "atime" : "");
}

static void add_propagation(struct strbuf *sb, unsigned long flags)
{
	for (size_t i = 0; i < mountflags_propagation.n; i++)
		if (mountflags_propagation.v[i].flag == flags)
			strbuf_addf(sb, " %s", mountflags_propagation.v[i].name);
}

static void add_mappings(struct strbuf *sb, const char *name, const struct oci_id_mapping *maps,
			 size_t n)
{
	for (size_t i = 0; i < n; i++)
		strbuf_addf(sb, "  %s %u %u %u\n", name, maps[i].container_id, maps[i].host_id,
			    maps[i].size);
}

static void add_marks(struct strbuf *sb, const struct mount_op *op)
{
	const struct {
		bool on;
		const char *name;
	} marks[] = {
		{ op->recursive, "recursive" },
		{ op->src_nofollow, "src-nofollow" },
		{ op->dest_nofollow, "dest-nofollow" },
		{ op->copy_symlink, "copy-symlink" },
		{ op->tmpcopyup, "tmpcopyup" },
		{ op->inherit_mode, "inherit-mode" },
		{ op->readonly_later, "readonly-later" },
		{ op->idmap == MOUNT_IDMAP, "idmap" },
		{ op->idmap == MOUNT_IDMAP_RECURSIVE, "ridmap" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (marks[i].on)
			strbuf_addf(sb, "  %s\n", marks[i].name);
}

static void add_op(struct strbuf *sb, const struct mount_op *op)
{
	strbuf_addf(sb, "%s %s\n", kind_names[op->kind], op->destination);
	if (op->type)
		strbuf_addf(sb, "  type %s\n", op->type);
	if (op->source)
		strbuf_addf(sb, "  source %s\n", op->source);
	if (op->flags) {
		auto_free char *text = mountflags_to_text(op->flags);

		strbuf_addf(sb, "  flags %s\n", text);
	}
	for (size_t i = 0; i < op->data.n; i++)
		strbuf_addf(sb, "  data %s\n", op->data.v[i]);
	add_attr(sb, "set", op->attr_set);
	add_attr(sb, "clear", op->attr_clear);
	add_attr(sb, "drop", op->attr_drop);
	add_attr(sb, "set-recursive", op->rec_set);
	add_attr(sb, "clear-recursive", op->rec_clear);
	if (op->n_propagation) {
		strbuf_adds(sb, "  propagation");
		for (size_t i = 0; i < op->n_propagation; i++)
			add_propagation(sb, op->propagation[i]);
		strbuf_addc(sb, '\n');
	}
	add_marks(sb, op);
	add_mappings(sb, "uid", op->uid_mappings, op->n_uid_mappings);
	add_mappings(sb, "gid", op->gid_mappings, op->n_gid_mappings);
	if (op->label_key)
		strbuf_addf(sb, "  label %s\n", op->label_key);
	if (op->source_inside)
		strbuf_adds(sb, "  source inside\n");
	if (op->source_slot >= 0)
		strbuf_addf(sb, "  slot %d\n", op->source_slot);
}

char *mount_plan_to_text(const struct mount_plan *plan)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	strbuf_adds(&sb, "root");
	add_propagation(&sb, plan->root_propagation);
	strbuf_addf(&sb, "%s%s\n", plan->has_root_propagation ? " again" : "",
		    plan->root_readonly ? " readonly" : "");
	if (plan->label)
		strbuf_addf(&sb, "label %s\n", plan->label);
	for (size_t i = 0; i < plan->n_ops; i++)
		add_op(&sb, &plan->ops[i]);
	for (size_t i = 0; i < plan->n_readonly_paths; i++)
		strbuf_addf(&sb, "readonly %s\n", plan->readonly_paths[i]);
	for (size_t i = 0; i < plan->n_masked_paths; i++)
		strbuf_addf(&sb, "masked %s\n", plan->masked_paths[i]);
	return strbuf_take(&sb);
}
