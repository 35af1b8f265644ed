/* SPDX-License-Identifier: Apache-2.0 */
/* CRIU's images against the runtime configuration. */
#include <sys/syscall.h>

#include "core/alloc.h"
#include "core/str.h"
#include "criu/image_access.h"
#include "engine/restore_policy.h"
#include "kernel/caps.h"

/* Calls that the default profile gives to nobody without a capability beyond the usual ones. */
static const int guarded_calls[] = {
	SYS_bpf,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_perf_event_open,
	SYS_open_by_handle_at,
	SYS_swapon,
	SYS_settimeofday,
	SYS_acct,
};

static uint64_t documented_capabilities(const struct runtime_spec *spec)
{
	const struct oci_capabilities *c = spec->process->capabilities;
	uint64_t set = 0;

	for (size_t i = 0; c && i < c->n_bounding; i++) {
		int cap = caps_from_name(c->bounding[i]);

		if (cap >= 0)
			set |= CAPS_BIT(cap);
	}
	return set;
}

static void judge(const struct criu_access *a, const struct runtime_spec *spec,
		  struct restore_findings *f)
{
	uint64_t beyond = a->capabilities & ~documented_capabilities(spec);

	for (int cap = 0; cap < 64; cap++)
		if ((beyond & CAPS_BIT(cap)) && caps_to_name(cap))
			restore_findings_add(f, RESTORE_IMAGES, "a process has %s",
					     caps_to_name(cap));
	for (size_t i = 0; i < a->host_namespaces.n; i++)
		if (oci_linux_namespace(spec->linux_, a->host_namespaces.v[i]))
			restore_findings_add(f, RESTORE_IMAGES,
					     "the processes would be in the host's %s namespace",
					     a->host_namespaces.v[i]);
	if (spec->linux_->seccomp && a->n_unfiltered > 0)
		restore_findings_add(f, RESTORE_IMAGES, "%zu of %zu threads have no seccomp filter",
				     a->n_unfiltered, a->n_threads);
	if (spec->linux_->seccomp && a->allowed_call >= 0)
		restore_findings_add(f, RESTORE_IMAGES,
				     "a seccomp filter lets system call %d through",
				     a->allowed_call);
	for (size_t i = 0; i < a->mounts.n; i++)
		restore_findings_add(f, RESTORE_IMAGES, "a %s", a->mounts.v[i]);
	for (size_t i = 0; i < a->cgroups.n; i++)
		restore_findings_add(f, RESTORE_IMAGES, "%s", a->cgroups.v[i]);
	for (size_t i = 0; i < a->lsm_profiles.n; i++)
		if (spec->process->apparmor_profile &&
		    str_has_prefix(a->lsm_profiles.v[i], "unconfined"))
			restore_findings_add(
				f, RESTORE_IMAGES,
				"a process is unconfined, where the documents say '%s'",
				spec->process->apparmor_profile);
	if (a->has_apparmor_policy)
		restore_findings_add(f, RESTORE_IMAGES, "AppArmor policy to load into the kernel");
}

int restore_policy_check_images(int dir_fd, const struct runtime_spec *spec, bool privileged,
				struct restore_findings *ret, bool *ret_root_is_shared,
				struct err *err)
{
	auto_criu_access struct criu_access access = CRIU_ACCESS_INIT;
	int r = criu_images_access(&access, dir_fd, guarded_calls, ARRAY_SIZE(guarded_calls), err);

	if (r < 0)
		return r;
	*ret_root_is_shared = access.root_is_shared;
	/* What is allowed to do everything need not be asked what it does. */
	if (!privileged)
		judge(&access, spec, ret);
	return 0;
}
