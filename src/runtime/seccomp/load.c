/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/seccomp/load.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/log.h"
#include "runtime/seccomp/names.h"

static long set_filter(const struct seccomp_filter *filter, unsigned int flags)
{
	const struct sock_fprog program = {
		.len = (unsigned short)filter->n_insns,
		.filter = filter->insns,
	};
	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);

	return r < 0 ? -errno : r;
}

static int explain_failure(const struct seccomp_filter *filter, int code, struct err *err)
{
	if (code == -EINVAL && (filter->flags & ~seccomp_supported_flags() &
				~(unsigned int)SECCOMP_FILTER_FLAG_NEW_LISTENER))
		return err_set(err, ERR_UNSUPPORTED,
			       "load seccomp filter: the kernel does not support one of "
			       "linux.seccomp.flags; see `features`");
	(void)err_sys(err, code, "load seccomp filter");
	if (code == -EACCES)
		err_append(err, "; it needs process.noNewPrivileges or CAP_SYS_ADMIN");
	else if (code == -EBUSY)
		err_append(err, "; a filter with a listener is in force already");
	return code;
}

int seccomp_filter_load(const struct seccomp_filter *filter, int *ret_listener_fd, struct err *err)
{
	long r;

	*ret_listener_fd = -EBADF;
	if (filter->n_insns == 0)
		return 0;
	/* TSYNC means nothing to a process of one thread. */
	log_debug("seccomp filter flags: %u",
		  filter->flags & ~(unsigned int)SECCOMP_FILTER_FLAG_TSYNC);
	r = set_filter(filter, filter->flags);
	/* The kernel knows no other reason than a flag: what libseccomp generates is well-formed. */
	if (r == -EINVAL && (filter->flags & filter->optional_flags))
		r = set_filter(filter, filter->flags & ~filter->optional_flags);
	if (r < 0)
		return explain_failure(filter, (int)r, err);
	if (filter->notifies)
		*ret_listener_fd = (int)r;
	return 0;
}

unsigned int seccomp_supported_flags(void)
{
	const char *const *names = seccomp_known_flags();
	unsigned int mask = 0;

	for (; *names; names++) {
		unsigned int flag = seccomp_flag_by_name(*names);
		/* Without TSYNC, which excludes it; WAIT_KILLABLE_RECV demands it. */
		unsigned int with =
			flag == SECCOMP_FILTER_FLAG_TSYNC ? 0 : SECCOMP_FILTER_FLAG_NEW_LISTENER;

		/* With no program a call whose flags are known fails with EFAULT. */
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flag | with, NULL) < 0 &&
		    errno == EFAULT)
			mask |= flag;
	}
	return mask;
}
