/* SPDX-License-Identifier: Apache-2.0 */
/* What a launch works out about the process itself: attributes, environment, descriptors. */
#include "runtime/launch.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/parse.h"
#include "runtime/init/environment.h"
#include "runtime/lsm/lsm.h"

static const struct runtime_spec *spec_of(const struct launch *l)
{
	return &l->bundle.spec;
}

/* LISTEN_FDS is for us only when LISTEN_PID is ours (sd_listen_fds(3)). */
static uint32_t count_listen_fds(void)
{
	const char *pid_text = getenv("LISTEN_PID");
	const char *fds_text = getenv("LISTEN_FDS");
	uint32_t pid;
	uint32_t fds;

	if (!pid_text || !fds_text || parse_u32(pid_text, &pid) < 0 ||
	    parse_u32(fds_text, &fds) < 0)
		return 0;
	return pid == (uint32_t)getpid() ? fds : 0;
}

static int check_preserved(const struct launch *l, struct err *err)
{
	uint64_t n = (uint64_t)l->listen_fds + l->opts->preserve_fds;

	/* Numbers beyond are descriptors of our own by now. */
	if (n > l->rt->n_inherited_fds)
		return err_set(err, ERR_INVALID,
			       "unable to stat preserved-fd: %" PRIu64
			       " descriptors from 3 on are to be handed to the container, but only "
			       "%u are open",
			       n, l->rt->n_inherited_fds);
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
	return r < 0 ? r : check_preserved(l, err);
}
