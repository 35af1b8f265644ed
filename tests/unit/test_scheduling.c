/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/init/scheduling.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void check_scheduler(struct oci_scheduler s, const char *message)
{
	struct oci_process process = { .scheduler = &s };
	struct scheduling_plan plan;
	struct err err = ERR_INIT;
	int r = scheduling_plan_make(&plan, &process, NULL, &err);

	assert_int_equal(r, message ? -EINVAL : 0);
	if (message)
		assert_string_equal(err.msg, message);
	else
		assert_true(plan.has_scheduler);
}

static void test_scheduler(void **state UNUSED)
{
	check_scheduler(
		(struct oci_scheduler){ .policy = (char[]){ "SCHED_OTHER" }, .nice = { true, 19 } },
		NULL);
	check_scheduler((struct oci_scheduler){ .policy = NULL },
			"process.scheduler.policy: a value is required");
	check_scheduler((struct oci_scheduler){ .policy = (char[]){ "OTHER" } },
			"process.scheduler.policy: unknown value 'OTHER'");
	check_scheduler(
		(struct oci_scheduler){ .policy = (char[]){ "SCHED_BATCH" }, .nice = { true, 20 } },
		"process.scheduler.nice: 20 is not between -20 and 19");
	check_scheduler((struct oci_scheduler){ .policy = (char[]){ "SCHED_FIFO" },
						.nice = { true, 20 },
						.priority = { true, 1 } },
			NULL);
	check_scheduler((struct oci_scheduler){ .policy = (char[]){ "SCHED_IDLE" },
						.priority = { true, 1 } },
			"process.scheduler.priority: only SCHED_FIFO and SCHED_RR have one");
	check_scheduler((struct oci_scheduler){ .policy = (char[]){ "SCHED_RR" },
						.priority = { true, 100 } },
			"process.scheduler.priority: 100 is not between 0 and 99");
	check_scheduler(
		(struct oci_scheduler){ .policy = (char[]){ "SCHED_RR" }, .period = { true, 1 } },
		"process.scheduler: runtime, deadline and period are for SCHED_DEADLINE "
		"only");
}

static void test_scheduler_values(void **state UNUSED)
{
	char *flags[] = { (char[]){ "SCHED_FLAG_RESET_ON_FORK" },
			  (char[]){ "SCHED_FLAG_DL_OVERRUN" } };
	struct oci_scheduler s = { .policy = (char[]){ "SCHED_DEADLINE" },
				   .runtime = { true, 1000 },
				   .deadline = { true, 2000 },
				   .period = { true, 3000 },
				   .flags = flags,
				   .n_flags = 2 };
	struct oci_process process = { .scheduler = &s };
	struct scheduling_plan plan;

	assert_int_equal(sizeof(plan.scheduler), 48); /* SCHED_ATTR_SIZE_VER0 */
	assert_int_equal(scheduling_plan_make(&plan, &process, NULL, NULL), 0);
	assert_int_equal(plan.scheduler.policy, 6);
	assert_int_equal(plan.scheduler.flags, 5);
	assert_int_equal(plan.scheduler.runtime, 1000);
	assert_int_equal(plan.scheduler.deadline, 2000);
	assert_int_equal(plan.scheduler.period, 3000);
	flags[1] = (char[]){ "SCHED_FLAG_X" };
	assert_int_equal(scheduling_plan_make(&plan, &process, NULL, NULL), -EINVAL);
}

static void test_io_priority(void **state UNUSED)
{
	struct oci_io_priority io = { .io_class = (char[]){ "IOPRIO_CLASS_BE" }, .priority = 5 };
	struct oci_process process = { .io_priority = &io };
	struct scheduling_plan plan;

	assert_int_equal(scheduling_plan_make(&plan, &process, NULL, NULL), 0);
	assert_int_equal(plan.io_priority, 2 << 13 | 5);
	io.priority = 8;
	assert_int_equal(scheduling_plan_make(&plan, &process, NULL, NULL), -EINVAL);
	io.priority = -1;
	assert_int_equal(scheduling_plan_make(&plan, &process, NULL, NULL), -EINVAL);
	io.priority = 0;
	io.io_class = (char[]){ "BE" };
	assert_int_equal(scheduling_plan_make(&plan, &process, NULL, NULL), -EINVAL);
}

static int memory_policy(const char *mode, const char *nodes, const char *flag,
			 struct scheduling_plan *plan)
{
	char *flags[] = { (char *)(uintptr_t)flag };
	struct oci_memory_policy m = { .mode = (char *)(uintptr_t)mode,
				       .nodes = (char *)(uintptr_t)nodes,
				       .flags = flags,
				       .n_flags = flag ? 1 : 0 };
	struct oci_linux linux_ = { .memory_policy = &m };
	struct oci_process process = { 0 };

	return scheduling_plan_make(plan, &process, &linux_, NULL);
}

static void test_memory_policy(void **state UNUSED)
{
	struct scheduling_plan plan;

	assert_int_equal(memory_policy("MPOL_BIND", "0-3,7, 65", NULL, &plan), 0);
	assert_int_equal(plan.memory_policy, 2);
	assert_int_equal(plan.nodes[0], 0x8f);
	assert_int_equal(plan.nodes[1], 2);
	assert_int_equal(memory_policy("MPOL_INTERLEAVE", "0", "MPOL_F_STATIC_NODES", &plan), 0);
	assert_int_equal(plan.memory_policy, 3 | 1 << 15);
	assert_int_equal(memory_policy("MPOL_PREFERRED", NULL, NULL, &plan), 0);
	assert_int_equal(memory_policy("MPOL_DEFAULT", NULL, NULL, &plan), 0);
	assert_false(plan.has_nodes);
	assert_int_equal(memory_policy("MPOL_DEFAULT", "0", NULL, &plan), -EINVAL);
	assert_int_equal(memory_policy("MPOL_LOCAL", "0", NULL, &plan), -EINVAL);
	assert_int_equal(memory_policy("MPOL_BIND", "", NULL, &plan), -EINVAL);
	assert_int_equal(memory_policy("MPOL_BIND", NULL, NULL, &plan), -EINVAL);
	assert_int_equal(memory_policy("MPOL_BIND", "3-1", NULL, &plan), -EINVAL);
	assert_int_equal(memory_policy("MPOL_BIND", "1024", NULL, &plan), -EINVAL);
	assert_int_equal(memory_policy("MPOL_BIND", "0-99999999999", NULL, &plan), -EINVAL);
	assert_int_equal(memory_policy("MPOL_BIND", "x", NULL, &plan), -EINVAL);
	assert_int_equal(memory_policy("MPOL_BIND", "0", "MPOL_F_X", &plan), -EINVAL);
	assert_int_equal(memory_policy("MPOL_X", "0", NULL, &plan), -EINVAL);
	assert_int_equal(memory_policy(NULL, "0", NULL, &plan), -EINVAL);
	/* An empty one asks for nothing. */
	assert_int_equal(memory_policy(NULL, NULL, NULL, &plan), 0);
	assert_false(plan.has_memory_policy);
}

static void test_cpus(void **state UNUSED)
{
	struct err err = ERR_INIT;
	cpu_set_t set;

	assert_int_equal(scheduling_parse_cpus("0-1, 4,,1023,", &set, &err), 0);
	assert_int_equal(CPU_COUNT(&set), 4);
	assert_true(CPU_ISSET(1023, &set));
	assert_int_equal(scheduling_parse_cpus("1024", &set, &err), -EINVAL);
	assert_int_equal(scheduling_parse_cpus("1-", &set, &err), -EINVAL);
	assert_int_equal(scheduling_parse_cpus("-1", &set, &err), -EINVAL);
	assert_int_equal(scheduling_parse_cpus("1-2-3", &set, &err), -EINVAL);
	assert_int_equal(scheduling_parse_cpus(" , ", &set, &err), -EINVAL);
	assert_string_equal(err.msg, "CPU affinity ' , ' names no CPU");
}

static int apply(void)
{
	struct oci_scheduler s = { .policy = (char[]){ "SCHED_BATCH" }, .nice = { true, 5 } };
	struct oci_io_priority io = { .io_class = (char[]){ "IOPRIO_CLASS_IDLE" } };
	struct oci_personality persona = { .domain = (char[]){ "LINUX32" } };
	struct oci_memory_policy memory = { .mode = (char[]){ "MPOL_BIND" },
					    .nodes = (char[]){ "0" } };
	struct oci_linux linux_ = { .personality = &persona, .memory_policy = &memory };
	struct oci_process process = { .scheduler = &s, .io_priority = &io };
	struct scheduling_plan plan;
	struct err err = ERR_INIT;
	uint64_t nodes[SCHEDULING_NODES_MAX / 64] = { 0 };
	int mode = -1;
	cpu_set_t set;

	if (scheduling_plan_make(&plan, &process, &linux_, &err) < 0)
		return 1;
	if (scheduling_apply(&plan, &err) < 0) {
		(void)!write(2, err.msg, strlen(err.msg));
		/* A kernel without NUMA has no memory policy. */
		return strstr(err.msg, "memory policy") ? 0 : 2;
	}
	if (sched_getscheduler(0) != SCHED_BATCH || getpriority(PRIO_PROCESS, 0) != 5)
		return 3;
	if (syscall(SYS_ioprio_get, 1, 0) != 3 << 13)
		return 4;
	if (personality(0xffffffff) != PER_LINUX32)
		return 5;
	if (syscall(SYS_get_mempolicy, &mode, nodes, SCHEDULING_NODES_MAX + 1, NULL, 0) < 0 ||
	    mode != 2 || nodes[0] != 1)
		return 6;
	if (scheduling_set_affinity(0, "0", &err) < 0 ||
	    sched_getaffinity(0, sizeof(set), &set) < 0 || CPU_COUNT(&set) != 1 ||
	    !CPU_ISSET(0, &set))
		return 7;
	return scheduling_set_affinity(0, NULL, &err) == 0 ? 0 : 8;
}

static void test_apply(void **state UNUSED)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(apply());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scheduler),   cmocka_unit_test(test_scheduler_values),
		cmocka_unit_test(test_io_priority), cmocka_unit_test(test_memory_policy),
		cmocka_unit_test(test_cpus),	    cmocka_unit_test(test_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
