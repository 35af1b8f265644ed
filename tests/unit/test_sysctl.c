/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/io.h"
#include "kernel/proc_root.h"
#include "kernel/syscalls.h"
#include "in_child.h"

static const struct sysctl_facts none;
static const struct sysctl_facts all = { true, true, true, true };

static void check(const char *key, const struct sysctl_facts *facts, const char *message)
{
	struct json_string_pair pair = { (char *)(uintptr_t)key, (char[]){ "1" } };
	const struct json_string_map map = { &pair, 1 };
	struct err err = ERR_INIT;

	assert_int_equal(sysctl_validate(&map, facts, &err), message ? -EINVAL : 0);
	if (message)
		assert_string_equal(err.msg, message);
}

static void test_validate(void **state UNUSED)
{
	const struct sysctl_facts ipc = { .has_ipc = true };
	const struct sysctl_facts uts = { .has_uts = true };
	const struct sysctl_facts user = { .has_user = true };
	const struct sysctl_facts network = { .has_network = true };

	check("kernel.shmmax", &ipc, NULL);
	check("kernel/sem", &ipc, NULL);
	check("fs.mqueue.msg_max", &ipc, NULL);
	check("net.ipv4.ip_forward", &network, NULL);
	check("net/ipv4/conf/eth0.1/mtu", &network, NULL);
	check("kernel.domainname", &uts, NULL);
	check("user.max_user_namespaces", &user, NULL);
	check("kernel.shm_rmid_forced", &none,
	      "sysctl \"kernel.shm_rmid_forced\" is not allowed in the hosts ipc namespace");
	check("fs.mqueue.msg_max", &network,
	      "sysctl \"fs.mqueue.msg_max\" is not allowed in the hosts ipc namespace");
	check("net.core.somaxconn", &none,
	      "sysctl \"net.core.somaxconn\" not allowed in host network namespace");
	check("kernel.hostname", &all,
	      "sysctl \"kernel.hostname\" is not allowed as it conflicts with the OCI "
	      "\"hostname\" field");
	check("kernel.domainname", &ipc,
	      "sysctl \"kernel.domainname\" is not in a separate kernel namespace");
	check("user.max_user_namespaces", &ipc,
	      "sysctl \"user.max_user_namespaces\" is not in a separate kernel namespace");
	check("vm.overcommit_memory", &all,
	      "sysctl \"vm.overcommit_memory\" is not in a separate kernel namespace");
	check("kernel.core_pattern", &all,
	      "sysctl \"kernel.core_pattern\" is not in a separate kernel namespace");
	check("net/../kernel/core_pattern", &all,
	      "sysctl \"net/../kernel/core_pattern\" is not a valid name");
	check("net//core", &all, "sysctl \"net//core\" is not a valid name");
	check("net.", &all, "sysctl \"net.\" is not a valid name");
	check("", &all, "sysctl \"\" is not a valid name");
}

static void test_facts(void **state UNUSED)
{
	struct oci_namespace list[] = {
		{ (char[]){ "pid" }, NULL },
		{ (char[]){ "network" }, (char[]){ "/proc/self/ns/net" } },
		{ (char[]){ "ipc" }, NULL },
	};
	struct sysctl_facts facts;
	struct err err = ERR_INIT;

	assert_int_equal(sysctl_facts_from_namespaces(&facts, list, 3, &err), 0);
	assert_true(facts.has_ipc);
	assert_false(facts.has_network);
	assert_false(facts.has_uts);
	/* Any other file: what it is, the one who joins it will see. */
	list[1].path = (char[]){ "/proc/self/ns/uts" };
	assert_int_equal(sysctl_facts_from_namespaces(&facts, list, 3, &err), 0);
	assert_true(facts.has_network);
	list[1].path = (char[]){ "" };
	assert_int_equal(sysctl_facts_from_namespaces(&facts, list, 3, &err), 0);
	assert_true(facts.has_network);
	list[1].path = (char[]){ "/nonexistent" };
	assert_int_equal(sysctl_facts_from_namespaces(&facts, list, 3, &err), -ENOENT);
	assert_int_equal(sysctl_facts_from_namespaces(&facts, list, 1, &err), 0);
	assert_false(facts.has_network || facts.has_ipc || facts.has_user);
}

/* ---- applied, in children ---- */

static int apply(const char *key, const char *value, int proc_fd, struct err *err)
{
	struct json_string_pair pair = { (char *)(uintptr_t)key, (char *)(uintptr_t)value };
	const struct json_string_map map = { &pair, 1 };

	return sysctl_apply(&map, proc_fd, err);
}

static bool has_value(const char *path, const char *want)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	return io_read_file_at(AT_FDCWD, path, 256, &text) == 0 && strcmp(text.buf, want) == 0;
}

static int in_namespaces(void)
{
	struct err err = ERR_INIT;
	int proc_fd;

	if (unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS) < 0 ||
	    mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
		return 1;
	proc_fd = proc_root_open("/proc");
	if (apply("kernel.shmmni", "4000", proc_fd, &err) < 0 ||
	    !has_value("/proc/sys/kernel/shmmni", "4000\n"))
		return 2;
	if (apply("net.ipv4.conf.lo.forwarding", "1", proc_fd, &err) < 0 ||
	    !has_value("/proc/sys/net/ipv4/conf/lo/forwarding", "1\n"))
		return 3;
	if (apply("net/ipv4/conf/lo/forwarding", "0", proc_fd, &err) < 0 ||
	    !has_value("/proc/sys/net/ipv4/conf/lo/forwarding", "0\n"))
		return 4;
	if (apply("kernel.domainname", "example.org", proc_fd, &err) < 0 ||
	    !has_value("/proc/sys/kernel/domainname", "example.org\n"))
		return 5;
	if (apply("net.nonexistent", "1", proc_fd, &err) != -ENOENT ||
	    strcmp(err.msg, "write sysctl 'net.nonexistent', value '1': no such file or "
			    "directory") != 0)
		return 6;
	if (apply("kernel.shmmni", "x", proc_fd, &err) != -EINVAL)
		return 7;
	return 0;
}

/* CVE-2025-52881: what is written must not end in a file that an image put into the way. */
static int redirected(void)
{
	struct err err = ERR_INIT;
	int proc_fd;

	if (unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) < 0 ||
	    mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
		return 1;
	proc_fd = proc_root_open("/proc");
	/* A file of the procfs that would do harm, in the place of a harmless one. */
	if (mount("/proc/sys/kernel/domainname", "/proc/sys/kernel/shmmni", NULL, MS_BIND, NULL) <
	    0)
		return 2;
	if (apply("kernel.shmmni", "4001", proc_fd, &err) != -EPERM ||
	    !strstr(err.msg, "something is mounted over it"))
		return 3;
	if (has_value("/proc/sys/kernel/domainname", "4001\n"))
		return 4;
	if (mount("tmpfs", "/proc/sys/net", "tmpfs", 0, NULL) < 0 ||
	    apply("net.core.somaxconn", "1", proc_fd, &err) != -EPERM)
		return 5;
	/* Something else in the place of the whole. */
	close(proc_fd);
	proc_fd = open("/tmp", O_PATH | O_DIRECTORY);
	if (apply("kernel.shmmni", "1", proc_fd, &err) != -EXDEV)
		return 6;
	return 0;
}

static int redirected_without_openat2(void)
{
	kernel_features_disable(KERNEL_OPENAT2);
	return redirected();
}

static void test_apply(void **state UNUSED)
{
	run_as_root(in_namespaces);
}

static void test_redirected(void **state UNUSED)
{
	run_as_root(redirected);
	run_as_root(redirected_without_openat2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_validate),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_apply),
		cmocka_unit_test(test_redirected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
