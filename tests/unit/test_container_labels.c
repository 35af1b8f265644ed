/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/auto.h"
#include "core/strbuf.h"
#include "engine/apparmor.h"
#include "engine/seccomp_default.h"
#include "engine/selinux.h"
#include "kernel/caps.h"

#define PROCESS "system_u:system_r:container_t:s0"
#define FILES "system_u:object_r:container_file_t:s0"

static void labels_follow_the_policy(void **state)
{
	const struct selinux_options none = { 0 };
	auto_free char *process = NULL;
	auto_free char *file = NULL;

	(void)state;
	assert_int_equal(selinux_labels(PROCESS, FILES, &none, "s0:c1,c2", &process, &file), 0);
	assert_string_equal(process, "system_u:system_r:container_t:s0:c1,c2");
	assert_string_equal(file, "system_u:object_r:container_file_t:s0:c1,c2");
	assert_int_equal(selinux_labels("nonsense", FILES, &none, "s0", &process, &file), -EINVAL);
}

static void options_exchange_parts(void **state)
{
	struct selinux_options o = { 0 };
	auto_free char *process = NULL;
	auto_free char *file = NULL;

	(void)state;
	assert_int_equal(selinux_option_parse(&o, "type:spc_t"), 0);
	assert_int_equal(selinux_option_parse(&o, "user:staff_u"), 0);
	assert_int_equal(selinux_option_parse(&o, "role:staff_r"), 0);
	assert_int_equal(selinux_option_parse(&o, "level:s0:c100,c200"), 0);
	assert_int_equal(selinux_option_parse(&o, "filetype:usr_t"), 0);
	assert_int_equal(selinux_labels(PROCESS, FILES, &o, "s0:c1,c2", &process, &file), 0);
	assert_string_equal(process, "staff_u:staff_r:spc_t:s0:c100,c200");
	assert_string_equal(file, "staff_u:object_r:usr_t:s0:c100,c200");
	assert_int_equal(selinux_option_parse(&o, "disable"), 0);
	assert_true(o.disable);
	assert_int_equal(selinux_option_parse(&o, "type:"), -EINVAL);
	assert_int_equal(selinux_option_parse(&o, "nosuch"), -EINVAL);
}

static void profile_has_its_name(void **state)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	(void)state;
	apparmor_profile_text("a-name", &sb);
	assert_non_null(strstr(sb.buf, "profile a-name flags=("));
	assert_non_null(strstr(sb.buf, "peer=a-name,"));
	assert_non_null(strstr(sb.buf, "deny mount,"));
	assert_string_equal(sb.buf + sb.len - 2, "}\n");
}

/* The action for a call without arguments; NULL: the default. */
static const char *action_of(const struct oci_seccomp *s, const char *call)
{
	for (size_t i = 0; i < s->n_syscalls; i++)
		for (size_t k = 0; s->syscalls[i].n_args == 0 && k < s->syscalls[i].n_names; k++)
			if (strcmp(s->syscalls[i].names[k], call) == 0)
				return s->syscalls[i].action;
	return NULL;
}

static void done(struct oci_seccomp *s)
{
	struct runtime_spec spec = { .linux_ = calloc(1, sizeof(*spec.linux_)) };

	spec.linux_->seccomp = s;
	runtime_spec_done(&spec);
}

static void seccomp_goes_by_capabilities(void **state)
{
	uint64_t chroot_cap = CAPS_BIT(caps_from_name("CAP_SYS_CHROOT"));
	struct oci_seccomp *s = seccomp_default(0);

	(void)state;
	assert_string_equal(s->default_action, "SCMP_ACT_ERRNO");
	assert_string_equal(action_of(s, "openat"), "SCMP_ACT_ALLOW");
	assert_string_equal(action_of(s, "chroot"), "SCMP_ACT_ERRNO");
	assert_string_equal(action_of(s, "kexec_load"), "SCMP_ACT_ERRNO");
	assert_null(action_of(s, "nosuch"));
	done(s);
	s = seccomp_default(chroot_cap);
	assert_string_equal(action_of(s, "chroot"), "SCMP_ACT_ALLOW");
	done(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_follow_the_policy),
		cmocka_unit_test(options_exchange_parts),
		cmocka_unit_test(profile_has_its_name),
		cmocka_unit_test(seccomp_goes_by_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
