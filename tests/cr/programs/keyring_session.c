/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/keyctl.h>
#include <sys/syscall.h>

#include "test.h"

static void run(void)
{
	long key;
	char text[16] = "";

	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "mine") < 0)
		skip("keyrings are not allowed here: %s", strerror(errno));
	key = must(syscall(SYS_add_key, "user", "test", "secret", 6, KEY_SPEC_SESSION_KEYRING));
	wait_for_restore();
	check(syscall(SYS_keyctl, KEYCTL_READ, key, text, sizeof(text)) == 6 &&
		      strcmp(text, "secret") == 0,
	      "the key is not readable: %s", strerror(errno));
}
PROGRAM(keyring_session, run, .subject = "keyrings",
	.lost = "processes have the keyrings of the restoring runtime")
