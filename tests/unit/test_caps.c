/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/caps.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/parse.h"
#include "core/io.h"

static void test_names(void **state UNUSED)
{
	assert_int_equal(caps_from_name("CAP_CHOWN"), 0);
	assert_int_equal(caps_from_name("CAP_SYS_ADMIN"), 21);
	assert_int_equal(caps_from_name("CAP_CHECKPOINT_RESTORE"), 40);
	assert_int_equal(caps_from_name("cap_chown"), -EINVAL);
	assert_int_equal(caps_from_name("CHOWN"), -EINVAL);
	assert_int_equal(caps_from_name(""), -EINVAL);
	assert_int_equal(caps_from_name("CAP_CHOWN "), -EINVAL);
	for (int cap = 0; cap <= 40; cap++)
		assert_int_equal(caps_from_name(caps_to_name(cap)), cap);
	assert_null(caps_to_name(41));
	assert_null(caps_to_name(-1));
}

static void test_last_is_the_kernels(void **state UNUSED)
{
	char *line = io_read_line_at(-1, "/proc/sys/kernel/cap_last_cap");
	uint32_t last;

	if (!line)
		skip();
	assert_int_equal(parse_u32(line, &last), 0);
	assert_int_equal(caps_last(), (int)last);
	free(line);
}

/* Run fn in a child that has nothing to lose; its result is the child's exit status. */
static int in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int reduce(void)
{
	const uint64_t keep = CAPS_BIT(0) | CAPS_BIT(5);
	struct caps_sets sets = { .effective = CAPS_BIT(0),
				  .permitted = keep,
				  .inheritable = CAPS_BIT(5) };
	struct caps_sets now;

	if (caps_drop_bounding(keep) < 0)
		return 1;
	for (int cap = 0; cap <= caps_last(); cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != (int)!!(keep & CAPS_BIT(cap)))
			return 2;
	if (caps_set(&sets) < 0 || caps_get(&now) < 0)
		return 3;
	if (now.effective != sets.effective || now.permitted != sets.permitted ||
	    now.inheritable != sets.inheritable)
		return 4;
	/* Only what is both permitted and inheritable can be ambient. */
	if (caps_set_ambient(keep) != CAPS_BIT(0))
		return 5;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 5, 0, 0) != 1)
		return 6;
	if (caps_set_ambient(0) != 0 || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 5, 0, 0) != 0)
		return 7;
	/* What is gone cannot come back. */
	sets.permitted |= CAPS_BIT(21);
	if (caps_set(&sets) != -EPERM)
		return 8;
	return 0;
}

static void test_sets(void **state UNUSED)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_child(reduce), 0);
}

static int high_bits(void)
{
	struct caps_sets now;

	if (caps_get(&now) < 0)
		return 1;
	/* The upper word: drop CAP_CHECKPOINT_RESTORE (40) alone. */
	now.effective &= ~CAPS_BIT(40);
	now.permitted &= ~CAPS_BIT(40);
	if (caps_set(&now) < 0)
		return 2;
	if (caps_get(&now) < 0 || (now.permitted & CAPS_BIT(40)))
		return 3;
	return now.permitted & CAPS_BIT(39) ? 0 : 4;
}

static void test_upper_word(void **state UNUSED)
{
	struct caps_sets now;

	assert_int_equal(caps_get(&now), 0);
	if (!(now.permitted & CAPS_BIT(40)) || !(now.permitted & CAPS_BIT(39)))
		skip();
	assert_int_equal(in_child(high_bits), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_last_is_the_kernels),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_upper_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
