/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/init/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/io.h"
#include "core/log.h"

#define DEFAULT_UMASK 0022

/* ---- the plan ---- */

static uint64_t plan_caps(char *const *names, size_t n, struct strvec *unknown)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < n; i++) {
		int cap = caps_from_name(names[i]);

		if (cap >= 0 && cap <= caps_last())
			mask |= CAPS_BIT(cap);
		else if (!strvec_contains(unknown, names[i]))
			strvec_add(unknown, names[i]);
	}
	return mask;
}

static int plan_capabilities(struct process_plan *plan, const struct oci_capabilities *caps,
			     struct strvec *ret_warnings, struct err *err)
{
	auto_strvec struct strvec unknown = STRVEC_INIT;
	uint64_t excess;

	plan->has_caps = true;
	plan->caps = (struct caps_sets){
		.bounding = plan_caps(caps->bounding, caps->n_bounding, &unknown),
		.effective = plan_caps(caps->effective, caps->n_effective, &unknown),
		.permitted = plan_caps(caps->permitted, caps->n_permitted, &unknown),
		.inheritable = plan_caps(caps->inheritable, caps->n_inheritable, &unknown),
		.ambient = plan_caps(caps->ambient, caps->n_ambient, &unknown),
	};
	if (unknown.n > 0 && ret_warnings) {
		auto_free char *list = strvec_join(&unknown, " ");

		strvec_addf(ret_warnings, "ignoring unknown or unavailable capabilities: [%s]",
			    list);
	}
	/* The kernel would refuse, later and without a name. */
	excess = plan->caps.effective & ~plan->caps.permitted;
	if (excess)
		return err_set(err, ERR_INVALID,
			       "process.capabilities.effective: %s is not among "
			       "process.capabilities.permitted",
			       caps_to_name(__builtin_ctzll(excess)));
	return 0;
}

static int plan_rlimits(struct process_plan *plan, const struct oci_rlimit *rlimits, size_t n,
			struct err *err)
{
	bool is_given[RLIMITS_MAX] = { false };

	for (size_t i = 0; i < n; i++) {
		const struct oci_rlimit *limit = &rlimits[i];
		int resource = limit->type ? rlimits_from_name(limit->type) : -EINVAL;

		if (resource < 0)
			return err_set(err, ERR_INVALID,
				       "process.rlimits[%zu].type: unknown limit '%s'", i,
				       limit->type ? limit->type : "");
		if (is_given[resource])
			return err_set(err, ERR_INVALID,
				       "process.rlimits[%zu].type: '%s' is there twice", i,
				       limit->type);
		if (limit->soft > limit->hard)
			return err_set(err, ERR_INVALID,
				       "process.rlimits[%zu]: %s: soft limit %" PRIu64
				       " is above hard limit %" PRIu64,
				       i, limit->type, limit->soft, limit->hard);
		is_given[resource] = true;
		plan->rlimits[plan->n_rlimits++] =
			(struct process_rlimit){ resource, limit->soft, limit->hard };
	}
	return 0;
}

int process_plan_make(struct process_plan *ret, const struct oci_process *process,
		      const struct oci_linux *linux_, struct strvec *ret_warnings, struct err *err)
{
	struct process_plan plan = {
		.uid = process->user.uid,
		.gid = process->user.gid,
		.gids = process->user.additional_gids,
		.n_gids = process->user.n_additional_gids,
		.umask = process->user.umask.set ? process->user.umask.v : DEFAULT_UMASK,
		.cwd = process->cwd,
		.no_new_privs = process->no_new_privileges,
		.oom_score_adj = process->oom_score_adj,
	};
	int r;

	if (plan.umask > 0777)
		return err_set(err, ERR_INVALID, "process.user.umask: %" PRIu32 " is above 0777",
			       plan.umask);
	r = plan_rlimits(&plan, process->rlimits, process->n_rlimits, err);
	if (r == 0 && process->capabilities)
		r = plan_capabilities(&plan, process->capabilities, ret_warnings, err);
	if (r == 0)
		r = scheduling_plan_make(&plan.scheduling, process, linux_, err);
	if (r == 0)
		*ret = plan;
	return r;
}

/* ---- single attributes ---- */

int process_set_oom_score_adj(const struct process_plan *plan, pid_t pid, struct err *err)
{
	char path[48] = "/proc/self/oom_score_adj";
	char text[24];
	int r;

	if (!plan->oom_score_adj.set)
		return 0;
	(void)snprintf(text, sizeof(text), "%" PRId64, plan->oom_score_adj.v);
	if (pid > 0)
		(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	r = io_write_file_at(AT_FDCWD, path, text);
	if (r < 0)
		return err_sys(err, r, "set oom_score_adj to %s", text);
	return 0;
}

int process_set_rlimits(const struct process_plan *plan, pid_t pid, struct err *err)
{
	for (size_t i = 0; i < plan->n_rlimits; i++) {
		const struct process_rlimit *limit = &plan->rlimits[i];
		const struct rlimit64 value = { .rlim_cur = limit->soft, .rlim_max = limit->hard };

		if (syscall(SYS_prlimit64, pid, limit->resource, &value, NULL) < 0)
			return err_sys(err, -errno, "set %s to %" PRIu64 ":%" PRIu64,
				       rlimits_to_name(limit->resource), limit->soft, limit->hard);
	}
	return 0;
}

int process_set_no_new_privs(const struct process_plan *plan, struct err *err)
{
	if (plan->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, -errno, "set no_new_privs");
	return 0;
}

/* ---- identity ---- */

/*
 * chdir(2). With may_be_denied a refusal (EACCES, EPERM) is not an error: 1 is returned, for a
 * second try as the user. ENOENT and the rest are errors.
 */
static int enter_cwd(const char *cwd, bool may_be_denied, struct err *err)
{
	int code;

	if (chdir(cwd) == 0)
		return 0;
	code = -errno;
	if (may_be_denied && (code == -EPERM || code == -EACCES))
		return 1;
	return err_sys(err, code, "chdir to cwd (\"%s\") set in config.json failed", cwd);
}

int process_check_cwd(struct err *err)
{
	char cwd[PATH_MAX];
	/* The system call itself: what it says begins with "(unreachable)" for a directory that is
	 * not below our root, which the C library hides; a directory that is gone is ENOENT. */
	int code = syscall(SYS_getcwd, cwd, sizeof(cwd)) < 0 ? -errno : 0;

	if (code < 0 && code != -ENOENT)
		return err_sys(err, code, "find current directory");
	if (code == -ENOENT || cwd[0] != '/')
		return err_set(err, ERR_DENIED,
			       "current working directory is outside of container mount namespace "
			       "root -- possible container breakout detected");
	return 0;
}

int process_own_stdio(uint32_t uid, struct err *err)
{
	for (int fd = 0; fd <= 2; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0)
			continue; /* closed */
		if (st.st_uid == uid ||
		    (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3 /* /dev/null */)))
			continue;
		if (fchown(fd, uid, (gid_t)-1) < 0 && errno != EPERM && errno != EROFS &&
		    errno != EINVAL)
			return err_sys(err, -errno, "give descriptor %d to user %" PRIu32, fd, uid);
	}
	return 0;
}

static int set_groups(const struct process_plan *plan, const struct process_facts *facts,
		      struct err *err)
{
	if (facts->keep_groups)
		return 0;
	/* The system call itself: the C library's function would signal other threads first. */
	if (syscall(SYS_setgroups, plan->n_gids, plan->gids) == 0)
		return 0;
	if (errno == EPERM && facts->in_user_namespace) {
		/* /proc/PID/setgroups says deny: the groups of the caller stay. */
		if (plan->n_gids == 0)
			return 0;
		return err_set(err, ERR_DENIED,
			       "cannot set any additional groups in a rootless container");
	}
	return err_sys(err, -errno, "set additional groups");
}

int process_switch_user(const struct process_plan *plan, const struct process_facts *facts,
			struct err *err)
{
	int r;

	if (plan->has_caps && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_sys(err, -errno, "keep capabilities");
	r = set_groups(plan, facts, err);
	if (r < 0)
		return r;
	if (syscall(SYS_setresgid, plan->gid, plan->gid, plan->gid) < 0) {
		r = err_sys(err, -errno, "set gid %" PRIu32, plan->gid);
	} else if (syscall(SYS_setresuid, plan->uid, plan->uid, plan->uid) < 0) {
		r = err_sys(err, -errno, "set uid %" PRIu32, plan->uid);
	}
	if (r == -EINVAL && facts->in_user_namespace)
		err_append(err, "; the user namespace does not map it");
	return r;
}

/* The process starts without them, as with runc, whose words these are. */
static void warn_refused_ambient(uint64_t refused)
{
	for (int cap = 0; cap < 64; cap++)
		if (refused & CAPS_BIT(cap))
			log_warning("can't raise ambient capability %s: it must be permitted and "
				    "inheritable as well",
				    caps_to_name(cap));
}

/* Permitted, effective, inheritable and ambient set; ends PR_SET_KEEPCAPS. */
static int set_caps(const struct process_plan *plan, struct err *err)
{
	struct caps_sets sets = plan->caps;
	struct caps_sets held;
	uint64_t refused;
	int r;

	if (!plan->has_caps)
		return 0;
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return err_sys(err, -errno, "stop keeping capabilities");
	r = caps_get(&held);
	if (r < 0)
		return err_sys(err, r, "read capabilities");
	sets.effective &= held.permitted;
	sets.permitted &= held.permitted;
	/* Neither may the inheritable set reach beyond the bounding set (capabilities(7)). */
	sets.inheritable &= held.inheritable | (held.permitted & sets.bounding);
	if (sets.permitted != plan->caps.permitted || sets.inheritable != plan->caps.inheritable)
		log_debug("leaving out capabilities that we do not have: %#" PRIx64,
			  (plan->caps.permitted & ~sets.permitted) |
				  (plan->caps.inheritable & ~sets.inheritable));
	r = caps_set(&sets);
	if (r < 0)
		return err_sys(err, r, "set capabilities");
	refused = caps_set_ambient(sets.ambient);
	warn_refused_ambient(refused);
	return 0;
}

int process_take_identity(const struct process_plan *plan, const struct process_facts *facts,
			  struct err *err)
{
	int again;
	int r;

	/* As ourselves first: root may enter where the user may not, and (on a network file system)
	 * the user where root may not. */
	again = enter_cwd(plan->cwd, true, err);
	if (again < 0)
		return again;
	if (plan->has_caps) {
		r = caps_drop_bounding(plan->caps.bounding);
		if (r < 0)
			return err_sys(err, r, "drop capabilities from the bounding set");
	}
	r = process_own_stdio(plan->uid, err);
	if (r == 0)
		r = process_switch_user(plan, facts, err);
	if (r == 0 && again)
		r = enter_cwd(plan->cwd, false, err);
	if (r == 0)
		r = process_check_cwd(err);
	if (r == 0)
		r = set_caps(plan, err);
	return r;
}
