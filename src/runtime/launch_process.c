/* SPDX-License-Identifier: Apache-2.0 */
/* What a launch works out about the process itself: attributes, environment, descriptors. */
#include "runtime/launch.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/log.h"
#include "core/parse.h"
#include "runtime/init/environment.h"
#include "runtime/lsm/lsm.h"

static const struct runtime_spec *spec_of(const struct launch *l)
{
	return &l->bundle.spec;
}

/*
 * LISTEN_FDS is not for us when LISTEN_PID is another's (sd_listen_fds(3)). Callers of crun leave it
 * out, since they cannot know our pid before they start us.
 */
static uint32_t count_listen_fds(void)
{
	const char *pid_text = getenv("LISTEN_PID");
	const char *fds_text = getenv("LISTEN_FDS");
	uint32_t pid;
	uint32_t fds;

	if (!fds_text || parse_u32(fds_text, &fds) < 0)
		return 0;
	if (pid_text && (parse_u32(pid_text, &pid) < 0 || pid != (uint32_t)getpid()))
		return 0;
	return fds;
}

/*
 * Numbers in between may be closed, as with crun: podman's --preserve-fd 9 is --preserve-fds 7 with
 * nothing from 3 to 8. There, descriptors of our own may be by now. None at all is a mistake.
 */
static int find_preserved(struct launch *l, struct err *err)
{
	uint64_t wanted = (uint64_t)l->listen_fds + l->opts->preserve_fds;
	struct rlimit limit = { .rlim_cur = 1024 };
	uint64_t open = 0;
	uint64_t end;

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	end = MIN(3 + wanted, limit.rlim_cur);
	for (int fd = 3; fd < INT_MAX && (uint64_t)fd < end; fd++) {
		if (!fd_is_inherited(fd))
			continue;
		l->n_preserved_fds = (uint32_t)fd - 2;
		open++;
	}
	if (open == 0 && l->opts->preserve_fds)
		return err_set(err, ERR_INVALID,
			       "unable to stat preserved-fd 0: none of the %" PRIu64
			       " descriptors from 3 on that are to be handed to the container is "
			       "open",
			       wanted);
	if (open < wanted)
		log_warning("of %" PRIu64 " descriptors from 3 on that are to be handed to the "
			    "container only %" PRIu64 " are open",
			    wanted, open);
	return 0;
}

static int plan_environment(struct launch *l, struct err *err)
{
	const struct oci_process *process = spec_of(l)->process;
	auto_strvec struct strvec extra = STRVEC_INIT;

	l->listen_fds = count_listen_fds();
	if (l->listen_fds) {
		strvec_addf(&extra, "LISTEN_FDS=%u", l->listen_fds);
		strvec_add(&extra, "LISTEN_PID=1");
	}
	return environment_build(&l->env, process->env, process->n_env, &extra, err);
}

int launch_plan_process(struct launch *l, struct err *err)
{
	const struct runtime_spec *spec = spec_of(l);
	const struct oci_process *process = spec->process;
	auto_strvec struct strvec warnings = STRVEC_INIT;
	int r = process_plan_make(&l->process, process, spec->linux_, &warnings, err);

	for (size_t i = 0; i < warnings.n; i++)
		log_warning("process.capabilities: %s", warnings.v[i]);
	if (r == 0)
		r = lsm_check(process->apparmor_profile, process->selinux_label,
			      spec->linux_->mount_label, err);
	if (r == 0)
		r = plan_environment(l, err);
	return r < 0 ? r : find_preserved(l, err);
}
