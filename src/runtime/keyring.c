/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/parse.h"
#include "core/strvec.h"

/* keyrings(7): the search bits of the owner and of others; the C library has no names for them. */
#define PERMISSION_USER_SEARCH 0x00080000U
#define PERMISSION_OTHER_SEARCH 0x00000008U

/* KEYCTL_DESCRIBE gives "keyring;uid;gid;permissions in hex;name". */
static int read_permissions(long key, uint64_t *ret)
{
	auto_strvec struct strvec fields = STRVEC_INIT;
	char text[512];
	long n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[MIN((size_t)n, sizeof(text) - 1)] = '\0';
	strvec_split(&fields, text, ';', true);
	if (fields.n < 5)
		return -EBADMSG;
	return parse_u64_base(fields.v[3], 16, ret);
}

int keyring_join_session(const char *id, bool in_user_namespace, struct err *err)
{
	auto_free char *name = xasprintf("_ses.%s", id);
	uint64_t permissions;
	long key = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
	int r;

	if (key < 0 && errno == ENOSYS)
		return 0;
	if (key < 0) {
		r = err_sys(err, -errno, "join session keyring '%s'", name);
		if (r == -EDQUOT)
			err_append(err, "; raise kernel.keys.maxkeys or use --no-new-keyring");
		else
			err_append(err, "; --no-new-keyring does without");
		return r;
	}
	/* The kernel answers 0 instead of the serial number when it is our keyring already. */
	if (key == 0)
		return 0;
	r = read_permissions(key, &permissions);
	if (r < 0)
		return err_sys(err, r, "read permissions of session keyring '%s'", name);
	permissions |= in_user_namespace ? PERMISSION_OTHER_SEARCH : PERMISSION_USER_SEARCH;
	if (syscall(SYS_keyctl, KEYCTL_SETPERM, key, permissions) < 0)
		return err_sys(err, -errno, "set permissions of session keyring '%s'", name);
	return 0;
}
