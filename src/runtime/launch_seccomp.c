/* SPDX-License-Identifier: Apache-2.0 */
/* The seccomp filter of a launch: compiled from the profile, or given as it is by an annotation. */
#include "runtime/launch.h"

#include <linux/seccomp.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "core/str.h"
#include "runtime/annotations.h"
#include "runtime/seccomp/cache.h"

/* crun's run.oci.seccomp_bpf_data: in the place of what the profile says, but for its flags. */
static int take_program(struct seccomp_filter *ret, const char *text,
			const struct oci_seccomp *profile, struct err *err)
{
	auto_strbuf struct strbuf data = STRBUF_INIT;
	auto_seccomp_filter struct seccomp_filter filter = SECCOMP_FILTER_INIT;
	const size_t size = sizeof(filter.insns[0]);
	int r = base64_decode(text, &data);

	if (r < 0 || data.len == 0 || data.len % size || data.len / size > BPF_MAXINSNS)
		return err_set(err, ERR_INVALID,
			       "annotation '" ANNOTATION_SECCOMP_BPF
			       "' is not the base64 form of a BPF "
			       "program of up to %d instructions",
			       BPF_MAXINSNS);
	if (profile) {
		r = seccomp_filter_check(&filter, profile, err);
		if (r < 0)
			return r;
		filter.notifies = false;
		filter.flags &= ~(unsigned int)SECCOMP_FILTER_FLAG_NEW_LISTENER;
	}
	filter.insns = xmemdup(data.buf, data.len);
	filter.n_insns = data.len / size;
	*ret = filter;
	filter = (struct seccomp_filter)SECCOMP_FILTER_INIT;
	return 0;
}

int launch_plan_seccomp(struct launch *l, struct err *err)
{
	const struct runtime_spec *spec = &l->bundle.spec;
	const struct oci_seccomp *profile = spec->linux_->seccomp;
	const char *program = runtime_spec_annotation(spec, ANNOTATION_SECCOMP_BPF);
	int r = 0;

	if (program)
		return take_program(&l->seccomp, program, profile, err);
	if (!profile)
		return 0;
	if (annotation_is_on(spec, ANNOTATION_SECCOMP_FAIL_UNKNOWN))
		r = seccomp_profile_check_names(profile, err);
	return r < 0 ? r : seccomp_filter_get(&l->seccomp, profile, l->rt->root_fd, err);
}
