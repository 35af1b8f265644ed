/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/restore_spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/alloc.h"

#define MIB ((int64_t)1 << 20)

/* What is left of memory limits that the container was started with, after these of the record. */
static void check_memory(struct oci_memory started, struct container_limits now,
			 struct opt_i64 limit, struct opt_i64 swap)
{
	const struct json_string_map none = { 0 };
	struct runtime_spec spec = { 0 };
	const struct container_config config = { .limits = now };
	struct oci_memory *m;
	struct err err = ERR_INIT;

	spec.process = xcalloc(1, sizeof(*spec.process));
	spec.linux_ = xcalloc(1, sizeof(*spec.linux_));
	spec.linux_->resources = xcalloc(1, sizeof(*spec.linux_->resources));
	m = spec.linux_->resources->memory = xcalloc(1, sizeof(*m));
	*m = started;
	assert_int_equal(restore_spec_update(&spec, &config, &none, &err), 0);
	assert_int_equal(m->limit.set, limit.set);
	assert_int_equal(m->limit.v, limit.v);
	assert_int_equal(m->swap.set, swap.set);
	assert_int_equal(m->swap.v, swap.v);
	runtime_spec_done(&spec);
}

static struct opt_i64 some(int64_t v)
{
	return (struct opt_i64){ true, v };
}

/* Version 2 refuses a limit of memory and swap together without one of memory, and below it. */
static void test_swap_goes_with_memory(void **state UNUSED)
{
	const struct oci_memory started = { .limit = some(512 * MIB), .swap = some(1024 * MIB) };
	const struct opt_i64 none = { 0 };

	check_memory(started, (struct container_limits){ .memory = some(-1) }, some(-1), none);
	check_memory(started, (struct container_limits){ .memory = some(0) }, some(0), none);
	check_memory(started, (struct container_limits){ .memory = some(2048 * MIB) },
		     some(2048 * MIB), some(4096 * MIB));
	check_memory(started,
		     (struct container_limits){ .memory = some(2048 * MIB),
						.memory_swap = some(2048 * MIB) },
		     some(2048 * MIB), some(2048 * MIB));
	check_memory(started, (struct container_limits){ .memory_swap = some(-1) }, some(512 * MIB),
		     some(-1));
	check_memory(started, (struct container_limits){ .memory_reservation = some(MIB) },
		     some(512 * MIB), some(1024 * MIB));
}

/* A device (CDI) may have replaced what the record says. */
static void test_variables_stay(void **state UNUSED)
{
	const struct json_string_map none = { 0 };
	char *env[] = { (char[]){ "A=mine" } };
	const struct container_config config = { .env = env, .n_env = 1 };
	struct runtime_spec spec = { 0 };
	struct err err = ERR_INIT;

	spec.process = xcalloc(1, sizeof(*spec.process));
	spec.linux_ = xcalloc(1, sizeof(*spec.linux_));
	json_strings_add(&spec.process->env, &spec.process->n_env, "A=device's");
	assert_int_equal(restore_spec_update(&spec, &config, &none, &err), 0);
	assert_int_equal(spec.process->n_env, 1);
	assert_string_equal(spec.process->env[0], "A=device's");
	runtime_spec_done(&spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_swap_goes_with_memory),
		cmocka_unit_test(test_variables_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
