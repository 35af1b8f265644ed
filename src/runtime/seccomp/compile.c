/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/seccomp/compile.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/io.h"
#include "core/log.h"
#include "core/str.h"
#include "kernel/syscalls.h"
#include "runtime/seccomp/enosys.h"
#include "runtime/seccomp/names.h"

#define ERRNO_MAX 4095 /* MAX_ERRNO of the kernel, which cuts larger ones */
#define ARGS_MAX 6
#define ARCHS_MAX 32
/* With more rules than this the filter is a binary tree over the numbers, as runc builds it. */
#define LINEAR_RULES_MAX 32

DEFINE_AUTO_PTR(scmp_filter, void, seccomp_release)
#define auto_scmp_filter auto_cleanup(scmp_filter_cleanup_ptr)

void seccomp_filter_done(struct seccomp_filter *filter)
{
	free(filter->insns);
	*filter = (struct seccomp_filter)SECCOMP_FILTER_INIT;
}

/* "No default action and no system calls" is how a document says that there is no filter. */
static bool is_empty(const struct oci_seccomp *profile)
{
	return str_is_empty(profile->default_action) && profile->n_syscalls == 0;
}

/* ---- checks ---- */

static int resolve_action(const char *name, const struct opt_u32 *errno_ret, const char *where,
			  uint32_t *ret, struct err *err)
{
	const struct seccomp_action *action = seccomp_action_by_name(name);
	uint32_t data = errno_ret->set ? errno_ret->v : EPERM;

	if (!action)
		return err_set(err, ERR_INVALID, "linux.seccomp.%s: unknown action '%s'", where,
			       name ? name : "");
	if (!action->takes_errno && errno_ret->set)
		return err_set(err, ERR_INVALID, "linux.seccomp.%s: %s takes no errno", where,
			       name);
	if (action->takes_errno && data > ERRNO_MAX)
		return err_set(err, ERR_INVALID, "linux.seccomp.%s: errno %" PRIu32 " is above %d",
			       where, data, ERRNO_MAX);
	*ret = action->value | (action->takes_errno ? data : 0);
	return 0;
}

static int default_action(const struct oci_seccomp *profile, uint32_t *ret, struct err *err)
{
	int r = resolve_action(profile->default_action, &profile->default_errno_ret,
			       "defaultAction", ret, err);

	if (r < 0)
		return r;
	/* There would be nobody to answer before the listener has reached its agent. */
	if (*ret == SCMP_ACT_NOTIFY)
		return err_set(err, ERR_INVALID,
			       "SCMP_ACT_NOTIFY cannot be used as default action");
	return 0;
}

static int check_arg(const struct oci_seccomp_arg *arg, size_t i, size_t j, struct err *err)
{
	if (arg->index >= ARGS_MAX)
		return err_set(err, ERR_INVALID,
			       "linux.seccomp.syscalls[%zu].args[%zu].index: %" PRIu32
			       " is above %d",
			       i, j, arg->index, ARGS_MAX - 1);
	if (seccomp_operator_by_name(arg->op) < 0)
		return err_set(err, ERR_INVALID,
			       "linux.seccomp.syscalls[%zu].args[%zu].op: unknown operator '%s'", i,
			       j, arg->op ? arg->op : "");
	return 0;
}

static int check_syscall(const struct oci_seccomp_syscall *entry, size_t i, uint32_t *ret_action,
			 struct err *err)
{
	char where[48];
	int r;

	(void)snprintf(where, sizeof(where), "syscalls[%zu].action", i);
	r = resolve_action(entry->action, &entry->errno_ret, where, ret_action, err);
	for (size_t j = 0; r == 0 && j < entry->n_args; j++)
		r = check_arg(&entry->args[j], i, j, err);
	/* The init process tells its parent of the listener by write(2). */
	for (size_t j = 0; r == 0 && *ret_action == SCMP_ACT_NOTIFY && j < entry->n_names; j++)
		if (str_eq(entry->names[j], "write"))
			r = err_set(err, ERR_INVALID,
				    "SCMP_ACT_NOTIFY cannot be used for the write syscall");
	return r;
}

static int check_archs(const struct oci_seccomp *profile, struct err *err)
{
	uint32_t token;

	for (size_t i = 0; i < profile->n_architectures; i++)
		if (seccomp_arch_by_name(profile->architectures[i], &token) == -EINVAL)
			return err_set(err, ERR_INVALID,
				       "linux.seccomp.architectures[%zu]: '%s' is not a valid arch "
				       "for seccomp",
				       i, profile->architectures[i]);
	return 0;
}

static int check_flags(struct seccomp_filter *filter, const struct oci_seccomp *profile,
		       struct err *err)
{
	if (!profile->flags) {
		/* As runc: no mitigation that the program did not ask for, where the kernel can. */
		filter->flags = filter->optional_flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	}
	for (size_t i = 0; i < profile->n_flags; i++) {
		unsigned int flag = seccomp_flag_by_name(profile->flags[i]);

		if (!flag)
			return err_set(err, ERR_INVALID,
				       "linux.seccomp.flags[%zu]: unknown flag '%s'", i,
				       profile->flags[i]);
		filter->flags |= flag;
	}
	if (filter->notifies) {
		/* The kernel refuses both together, and the process has one thread. */
		filter->flags &= ~(unsigned int)SECCOMP_FILTER_FLAG_TSYNC;
		filter->flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	} else {
		/* It is about waiting for a listener. */
		filter->flags &= ~seccomp_flag_by_name("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV");
	}
	return 0;
}

int seccomp_filter_check(struct seccomp_filter *ret, const struct oci_seccomp *profile,
			 struct err *err)
{
	struct seccomp_filter filter = SECCOMP_FILTER_INIT;
	uint32_t action;
	int r;

	if (is_empty(profile)) {
		*ret = filter;
		return 0;
	}
	r = default_action(profile, &action, err);
	if (r == 0)
		r = check_archs(profile, err);
	for (size_t i = 0; r == 0 && i < profile->n_syscalls; i++) {
		r = check_syscall(&profile->syscalls[i], i, &action, err);
		filter.notifies |= r == 0 && action == SCMP_ACT_NOTIFY;
	}
	if (r == 0)
		r = check_flags(&filter, profile, err);
	if (r < 0)
		return r;
	if (filter.notifies && str_is_empty(profile->listener_path))
		return err_set(err, ERR_INVALID,
			       "linux.seccomp.listenerPath: it is required for "
			       "SCMP_ACT_NOTIFY");
	if (profile->listener_metadata && str_is_empty(profile->listener_path))
		return err_set(err, ERR_INVALID,
			       "linux.seccomp.listenerMetadata: it is only "
			       "allowed with listenerPath");
	*ret = filter;
	return 0;
}

/* ---- rules ---- */

static struct scmp_arg_cmp compare_arg(const struct oci_seccomp_arg *arg)
{
	return (struct scmp_arg_cmp){
		.arg = arg->index,
		.op = (enum scmp_compare)seccomp_operator_by_name(arg->op),
		.datum_a = arg->value,
		.datum_b = arg->value_two,
	};
}

/* Whether an index occurs twice: libseccomp cannot AND two comparisons of one argument. */
static bool has_repeated_index(const struct oci_seccomp_syscall *entry)
{
	bool seen[ARGS_MAX] = { false };

	for (size_t i = 0; i < entry->n_args; i++) {
		if (seen[entry->args[i].index])
			return true;
		seen[entry->args[i].index] = true;
	}
	return false;
}

static int add_rule(scmp_filter_ctx ctx, uint32_t action, int nr, const struct scmp_arg_cmp *args,
		    size_t n)
{
	int r = seccomp_rule_add_array(ctx, action, nr, (unsigned int)n, args);

	/* EEXIST: the profile says it twice. EDOM: not on this architecture. */
	return r == -EEXIST || r == -EDOM ? 0 : r;
}

static int add_rules_of_call(scmp_filter_ctx ctx, const struct oci_seccomp_syscall *entry,
			     uint32_t action, int nr)
{
	struct scmp_arg_cmp args[ARGS_MAX];
	int r = 0;

	if (has_repeated_index(entry)) {
		for (size_t i = 0; r == 0 && i < entry->n_args; i++) {
			args[0] = compare_arg(&entry->args[i]);
			r = add_rule(ctx, action, nr, args, 1);
		}
		return r;
	}
	for (size_t i = 0; i < entry->n_args; i++)
		args[i] = compare_arg(&entry->args[i]);
	return add_rule(ctx, action, nr, args, entry->n_args);
}

static int add_entry(scmp_filter_ctx ctx, const struct oci_seccomp_syscall *entry, uint32_t action,
		     struct err *err)
{
	for (size_t i = 0; i < entry->n_names; i++) {
		int nr = seccomp_syscall_resolve_name(entry->names[i]);
		int r;

		if (nr == __NR_SCMP_ERROR) {
			log_debug("seccomp: skipping unknown syscall '%s'", entry->names[i]);
			continue;
		}
		r = add_rules_of_call(ctx, entry, action, nr);
		if (r == -EOPNOTSUPP)
			return err_set(err, ERR_UNSUPPORTED,
				       "add seccomp rule for syscall '%s': the kernel does not "
				       "support %s",
				       entry->names[i], entry->action);
		if (r < 0)
			return err_sys(err, r, "add seccomp rule for syscall '%s'",
				       entry->names[i]);
	}
	return 0;
}

static int add_entries(scmp_filter_ctx ctx, const struct oci_seccomp *profile,
		       uint32_t default_value, struct err *err)
{
	for (size_t i = 0; i < profile->n_syscalls; i++) {
		uint32_t action;
		int r = check_syscall(&profile->syscalls[i], i, &action, err);

		/* libseccomp refuses rules that change nothing. */
		if (r == 0 && action != default_value)
			r = add_entry(ctx, &profile->syscalls[i], action, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- architectures ---- */

/* The tokens of the architectures in the filter; the native one first, which is in it anyway. */
static size_t list_archs(const struct oci_seccomp *profile, uint32_t ret[static ARCHS_MAX])
{
	size_t n = 0;

	ret[n++] = seccomp_arch_native();
	for (size_t i = 0; i < profile->n_architectures && n < ARCHS_MAX; i++) {
		bool is_new = true;

		if (seccomp_arch_by_name(profile->architectures[i], &ret[n]) < 0) {
			log_debug("seccomp: skipping architecture '%s', which libseccomp does not "
				  "know",
				  profile->architectures[i]);
			continue;
		}
		for (size_t j = 0; j < n; j++)
			is_new &= ret[j] != ret[n];
		n += is_new;
	}
	return n;
}

/* Adds them and drops those from the list that cannot be in one filter with the native one (of the
 * other byte order), whose calls can never be made here. */
static int add_archs(scmp_filter_ctx ctx, uint32_t *archs, size_t *n, struct err *err)
{
	size_t kept = 1;

	for (size_t i = 1; i < *n; i++) {
		int r = seccomp_arch_add(ctx, archs[i]);

		if (r == -EDOM)
			continue;
		if (r < 0 && r != -EEXIST)
			return err_sys(err, r, "add architecture %#" PRIx32 " to seccomp filter",
				       archs[i]);
		archs[kept++] = archs[i];
	}
	*n = kept;
	return 0;
}

/* ---- the program ---- */

/* Read what libseccomp wrote, behind n_before instructions; the whole is bounded by the kernel. */
static int read_program(int fd, struct seccomp_filter *filter, const struct sock_filter *before,
			size_t n_before, struct err *err)
{
	struct stat st;
	size_t n;

	if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, -errno, "read seccomp program");
	n = (size_t)st.st_size / sizeof(struct sock_filter);
	if (n == 0 || n + n_before > BPF_MAXINSNS)
		return err_set(err, ERR_INVALID,
			       "the seccomp profile needs %zu instructions, but the kernel takes "
			       "no more than %d; use fewer rules or architectures",
			       n + n_before, BPF_MAXINSNS);
	filter->insns = xcalloc(n + n_before, sizeof(struct sock_filter));
	filter->n_insns = n + n_before;
	(void)memcpy(filter->insns, before, n_before * sizeof(struct sock_filter));
	if (io_read_exact(fd, filter->insns + n_before, n * sizeof(struct sock_filter)) <= 0) {
		seccomp_filter_done(filter);
		return err_sys(err, -EIO, "read seccomp program");
	}
	return 0;
}

static int export_program(scmp_filter_ctx ctx, struct seccomp_filter *filter,
			  const struct sock_filter *before, size_t n_before, struct err *err)
{
	auto_close int fd = sys_memfd_create("seccomp", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(err, fd, "create memory file for seccomp program");
	r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return err_sys(err, r, "generate seccomp program");
	return read_program(fd, filter, before, n_before, err);
}

static bool wants_enosys(uint32_t default_value)
{
	uint32_t kind = default_value & SECCOMP_RET_ACTION_FULL;

	return kind != SCMP_ACT_ALLOW && kind != SCMP_ACT_LOG && kind != SCMP_ACT_TRACE(0) &&
	       default_value != SCMP_ACT_ERRNO(ENOSYS);
}

static int set_attributes(scmp_filter_ctx ctx, const struct oci_seccomp *profile, struct err *err)
{
	size_t n_rules = 0;
	int r;

	for (size_t i = 0; i < profile->n_syscalls; i++)
		n_rules += profile->syscalls[i].n_names;
	/* no_new_privs is the configuration's business. */
	r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);
	/* Before libseccomp 2.5 there is no such attribute: then it stays a list. */
	if (r == 0 && n_rules > LINEAR_RULES_MAX &&
	    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) < 0)
		log_debug("seccomp: libseccomp cannot build a binary tree");
	return r < 0 ? err_sys(err, r, "configure seccomp filter") : 0;
}

int seccomp_filter_compile(struct seccomp_filter *ret, const struct oci_seccomp *profile,
			   struct err *err)
{
	struct seccomp_filter filter;
	struct sock_filter prologue[SECCOMP_ENOSYS_INSNS_MAX];
	auto_scmp_filter scmp_filter_ctx ctx = NULL;
	uint32_t archs[ARCHS_MAX];
	uint32_t default_value = 0;
	size_t n_prologue = 0;
	size_t n_archs;
	int r;

	r = seccomp_filter_check(&filter, profile, err);
	if (r < 0 || is_empty(profile)) {
		if (r == 0)
			*ret = filter;
		return r;
	}
	r = default_action(profile, &default_value, err);
	if (r < 0)
		return r;
	ctx = seccomp_init(default_value);
	if (!ctx)
		return err_set(
			err, ERR_UNSUPPORTED,
			"create seccomp filter: the kernel or libseccomp does not support %s",
			profile->default_action);
	n_archs = list_archs(profile, archs);
	r = add_archs(ctx, archs, &n_archs, err);
	if (r == 0)
		r = set_attributes(ctx, profile, err);
	if (r == 0)
		r = add_entries(ctx, profile, default_value, err);
	if (r < 0)
		return r;
	if (wants_enosys(default_value))
		n_prologue = seccomp_enosys_prologue(prologue, profile, archs, n_archs);
	r = export_program(ctx, &filter, prologue, n_prologue, err);
	if (r == 0)
		*ret = filter;
	return r;
}

int seccomp_profile_check_names(const struct oci_seccomp *profile, struct err *err)
{
	for (size_t i = 0; i < profile->n_syscalls; i++) {
		const struct oci_seccomp_syscall *entry = &profile->syscalls[i];

		for (size_t j = 0; j < entry->n_names; j++)
			if (seccomp_syscall_resolve_name(entry->names[j]) == __NR_SCMP_ERROR)
				return err_set(
					err, ERR_INVALID,
					"linux.seccomp.syscalls[%zu].names[%zu]: unknown system "
					"call '%s'",
					i, j, entry->names[j]);
	}
	return 0;
}
