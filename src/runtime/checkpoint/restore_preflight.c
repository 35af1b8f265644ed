/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/restore_preflight.h"

#include <string.h>

#include "core/fd.h"
#include "core/str.h"
#include "criu/image_check.h"
#include "kernel/proc_root.h"
#include "runtime/checkpoint/memory_limit.h"
#include "runtime/lsm/lsm.h"

int restore_check_profile(const struct restore_options *opts, const struct runtime_spec *spec,
			  struct err *err)
{
	const struct oci_process *process = spec->process;
	const char *profile = opts->lsm_profile;
	auto_close int proc_fd = proc_root_open("/proc");
	int r;

	if (proc_fd < 0)
		return err_sys(err, proc_fd, "open '/proc'");
	if (!profile)
		profile = process ? process->apparmor_profile : NULL;
	else
		profile = str_has_prefix(profile, "apparmor:") ? strchr(profile, ':') + 1 : NULL;
	r = lsm_try_apparmor_exec(proc_fd, profile, err);
	if (r < 0 && !opts->lsm_profile)
		err_append(err, ", or give another with --lsm-profile");
	return r;
}

int restore_check_images(const struct restore_options *opts, const struct runtime_spec *spec,
			 int images_fd, struct err *err)
{
	struct criu_images_info info;
	int r = criu_images_check(images_fd, &info, err);

	if (r == 0 && info.is_elsewhere && !opts->lazy_pages)
		return err_set(
			err, ERR_USAGE,
			"the checkpoint left its memory to a page server; while that runs, "
			"restore with --lazy-pages, and with `criu lazy-pages --page-server`");
	/* What is fetched lazily may never be asked for. */
	if (r == 0 && !opts->lazy_pages)
		r = memory_limit_check(spec->linux_->resources, &info, images_fd, err);
	return r;
}
