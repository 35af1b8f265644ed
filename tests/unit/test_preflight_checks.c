/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of `checkpoint --dry-run`, each over a snapshot that is made by hand. */
#include "runtime/checkpoint/preflight_check.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/str.h"

#define OWN_NS 100 /* and so on, by kind */
#define HOST_NS 200

static struct preflight_snapshot s;
static struct preflight_report report;

static const char mounts_text[] = "10 1 254:0 /srv/rootfs / rw - ext4 /dev/vda rw\n"
				  "11 10 0:20 / /proc rw - proc proc rw\n"
				  "12 10 0:21 / /dev rw,nosuid - tmpfs tmpfs rw\n"
				  "13 12 0:22 / /dev/pts rw - devpts devpts rw\n"
				  "14 12 0:23 / /dev/mqueue rw - mqueue mqueue rw\n"
				  "15 10 254:0 /srv/data /data rw master:7 - ext4 /dev/vda rw\n"
				  "16 10 0:24 / /ro ro - tmpfs tmpfs ro\n";

static void set_mounts(const char *text)
{
	struct preflight_mounts *m = array_push(s.mount_namespaces, s.n_mount_namespaces);

	m->ns = OWN_NS + PREFLIGHT_NS_MNT;
	assert_int_equal(mountinfo_parse(&m->mounts, text, strlen(text)), 0);
}

static struct preflight_process *add_process(pid_t pid, pid_t ppid)
{
	struct preflight_process *p = array_push(s.processes, s.n_processes);

	*p = (struct preflight_process){ .pid = pid,
					 .ppid = ppid,
					 .pgrp = pid,
					 .session = pid,
					 .state = 'S',
					 .is_in_tree = true,
					 .is_in_cgroup = true,
					 .threads = 1,
					 .comm = "prog" };
	for (size_t i = 0; i < PREFLIGHT_NS_COUNT_; i++)
		p->ns[i] = OWN_NS + i;
	p->ns[PREFLIGHT_NS_TIME_FOR_CHILDREN] = p->ns[PREFLIGHT_NS_TIME];
	return p;
}

/* A container with one process, nothing open, and the usual mounts. */
static int setup(void **state UNUSED)
{
	s = (struct preflight_snapshot)PREFLIGHT_SNAPSHOT_INIT;
	s.id = xstrdup("box");
	s.options.ghost_limit = PREFLIGHT_GHOST_LIMIT;
	s.host.is_privileged = true;
	for (size_t i = 0; i < PREFLIGHT_NS_COUNT_; i++)
		s.host.ns[i] = HOST_NS + i;
	set_mounts(mounts_text);
	strvec_add(&s.externals, "/data");
	(void)add_process(10, 1);
	return 0;
}

static int teardown(void **state UNUSED)
{
	preflight_report_done(&report);
	preflight_snapshot_done(&s);
	return 0;
}

/* A file by path and mount id; 0: on none of the container's mounts. */
static struct preflight_file *add_file(const char *path, mode_t mode, int mnt_id)
{
	struct preflight_file *f = array_push(s.files, s.n_files);

	*f = (struct preflight_file){ .path = xstrdup(path),
				      .mode = mode,
				      .links = 1,
				      .ino = 1000 + s.n_files,
				      .mnt_id = mnt_id };
	f->mount = mountinfo_find_id(&s.mount_namespaces[0].mounts, mnt_id);
	f->is_internal = path[0] != '/';
	if (f->mount)
		f->name = PREFLIGHT_NAME_SAME;
	return f;
}

/* The last file, held by a process. */
static struct preflight_use *use(size_t process, int descriptor)
{
	struct preflight_use *u = array_push(s.uses, s.n_uses);

	*u = (struct preflight_use){
		.process = process, .file = s.n_files - 1, .descriptor = descriptor, .pidfd_pid = -1
	};
	return u;
}

static struct sock_diag_socket *add_socket(int family, int protocol, int state)
{
	struct sock_diag_socket *k;
	char path[32];

	(void)snprintf(path, sizeof(path), "socket:[%zu]", 1001 + s.n_files);
	(void)add_file(path, S_IFSOCK, 0);
	(void)use(0, (int)s.n_files);
	k = array_push(s.sockets.v, s.sockets.n);
	*k = (struct sock_diag_socket){ .family = family,
					.protocol = protocol,
					.state = state,
					.ino = (uint32_t)(1000 + s.n_files) };
	return k;
}

static void give(enum preflight_option option)
{
	s.options.by[option] = xstrdup("--given");
}

static void judge(void)
{
	preflight_report_done(&report);
	preflight_judge(&report, &s);
	assert_string_equal(report.verdict, report.n_blockers ? "blocked" : "ok");
	assert_int_equal(preflight_is_ok(&report), report.n_blockers == 0);
}

/* Nothing but this one blocker; its option and a part of its message. */
static const struct preflight_finding *only_blocker(const char *check, const char *option,
						    const char *part)
{
	judge();
	if (report.n_blockers != 1)
		for (size_t i = 0; i < report.n_blockers; i++)
			print_error("%s: %s\n", report.blockers[i].check,
				    report.blockers[i].message);
	assert_int_equal(report.n_blockers, 1);
	assert_string_equal(report.blockers[0].check, check);
	if (option)
		assert_string_equal(report.blockers[0].option, option);
	else
		assert_null(report.blockers[0].option);
	if (!strstr(report.blockers[0].message, part))
		fail_msg("'%s' is not in '%s'", part, report.blockers[0].message);
	return &report.blockers[0];
}

static void no_finding(void)
{
	judge();
	for (size_t i = 0; i < report.n_blockers; i++)
		print_error("%s: %s\n", report.blockers[i].check, report.blockers[i].message);
	for (size_t i = 0; i < report.n_warnings; i++)
		print_error("%s: %s\n", report.warnings[i].check, report.warnings[i].message);
	assert_int_equal(report.n_blockers + report.n_warnings + report.n_notes, 0);
}

static const struct preflight_finding *only_warning(const char *check)
{
	judge();
	assert_int_equal(report.n_blockers, 0);
	assert_int_equal(report.n_warnings, 1);
	assert_string_equal(report.warnings[0].check, check);
	return &report.warnings[0];
}

/* The same situation is lifted by the option. */
static void lifted_by(enum preflight_option option)
{
	give(option);
	judge();
	assert_int_equal(report.n_blockers, 0);
	assert_int_equal(report.n_lifted, 1);
	assert_string_equal(report.lifted[0].lifted_by, "--given");
}

static void test_plain(void **state UNUSED)
{
	(void)add_file("/usr/bin/prog", S_IFREG, 10);
	(void)use(0, PREFLIGHT_PROGRAM);
	(void)add_file("/", S_IFDIR, 10);
	(void)use(0, PREFLIGHT_ROOT);
	(void)use(0, PREFLIGHT_CWD);
	(void)add_file("pipe:[1]", S_IFIFO, 3);
	use(0, 1)->has_info = true;
	(void)add_file("anon_inode:[eventpoll]", 0600, 3);
	(void)use(0, 4);
	(void)add_file("/dev/null", S_IFCHR, 12);
	s.files[s.n_files - 1].rdev_major = 1;
	s.files[s.n_files - 1].rdev_minor = 3;
	(void)use(0, 0);
	(void)add_file("/dev/pts/0", S_IFCHR, 13);
	s.files[s.n_files - 1].rdev_major = 136;
	(void)use(0, 5);
	(void)add_file("/memfd:x (deleted)", S_IFREG, 3);
	s.files[s.n_files - 1].is_internal = true;
	s.files[s.n_files - 1].links = 0;
	(void)use(0, 6);
	(void)use(0, PREFLIGHT_MAPPED);
	(void)add_file("net:[103]", S_IFREG, 3);
	s.files[s.n_files - 1].ino = OWN_NS + PREFLIGHT_NS_NET;
	(void)use(0, 7);
	(void)add_socket(AF_INET, IPPROTO_TCP, TCP_LISTEN);
	no_finding();
}

static void test_outside(void **state UNUSED)
{
	const struct preflight_finding *f;

	(void)add_process(11, 10);
	(void)add_file("/var/log/x", S_IFREG, 99);
	(void)use(0, 1);
	(void)use(0, 2);
	(void)use(1, 1);
	f = only_blocker("file-outside", NULL, "'/var/log/x' is open, which is on no mount");
	assert_int_equal(f->pid, 10);
	assert_string_equal(f->command, "prog");
	assert_true(f->descriptor.set && f->descriptor.v == 1);
	assert_string_equal(f->path, "/var/log/x");
	assert_int_equal(f->count, 3);
	assert_non_null(strstr(f->remedy, "pipe"));
	/* A kernel that does not tell the mount. */
	s.files[0].mnt_id = -1;
	no_finding();
}

static void test_outside_kinds(void **state UNUSED)
{
	(void)add_file("/q", S_IFREG, 99);
	s.files[0].fs_magic = 0x19800202;
	(void)use(0, 3);
	(void)only_blocker("file-outside", NULL, "message queue '/q'");
	s.files[0].fs_magic = SECRETMEM_MAGIC;
	(void)only_blocker("secret-memory", NULL, "memfd_secret");
	s.files[0].fs_magic = 0;
	s.uses[0].descriptor = PREFLIGHT_CWD;
	assert_false(only_blocker("file-outside", NULL, "current directory")->descriptor.set);
}

static void test_outside_terminal(void **state UNUSED)
{
	struct preflight_file *f = add_file("/dev/pts/3", S_IFCHR, 99);

	f->rdev_major = 136;
	(void)use(0, 0);
	(void)only_blocker("terminal-outside", "--shell-job", "/dev/pts/3");
	lifted_by(PREFLIGHT_SHELL_JOB);
}

static void test_deleted(void **state UNUSED)
{
	struct preflight_file *f = add_file("/data/f (deleted)", S_IFREG, 15);
	const struct preflight_finding *found;

	f->links = 0;
	f->size = 64 << 20; /* sparse */
	f->stored_bytes = 4096;
	(void)use(0, 3);
	no_finding();
	f->stored_bytes = 3 << 20;
	found = only_blocker("file-deleted", NULL, "'/data/f' is open but deleted");
	assert_string_equal(found->criu_option, "ghost-limit 3145728");
	s.options.ghost_limit = 4 << 20;
	no_finding();
	assert_int_equal(report.estimate.deleted_files_bytes, 3 << 20);
}

static void test_deleted_name(void **state UNUSED)
{
	struct preflight_file *f = add_file("/data/f (deleted)", S_IFREG, 15);

	f->name = PREFLIGHT_NAME_GONE;
	(void)use(0, PREFLIGHT_MAPPED);
	(void)only_blocker("file-name-deleted", "--link-remap", "'/data/f' is mapped under");
	lifted_by(PREFLIGHT_LINK_REMAP);
}

static void test_deleted_name_read_only(void **state UNUSED)
{
	struct preflight_file *f = add_file("/ro/f (deleted)", S_IFREG, 16);

	f->name = PREFLIGHT_NAME_GONE;
	(void)use(0, 3);
	(void)only_blocker("file-name-deleted", NULL, "read-only");
	give(PREFLIGHT_LINK_REMAP);
	(void)only_blocker("file-name-deleted", NULL, "read-only");
}

static void test_covered(void **state UNUSED)
{
	struct preflight_file *f = add_file("/data/f", S_IFREG, 10);

	/* On the root file system, below where /data is mounted. */
	f->name = PREFLIGHT_NAME_GONE;
	(void)use(0, 3);
	(void)only_blocker("file-covered", NULL, "the mount at '/data' covers it");
	f->name = PREFLIGHT_NAME_OTHER;
	(void)only_blocker("file-covered", NULL, "the mount at '/data' covers it");
	replace_ptr(f->path, xstrdup("/etc/x"));
	(void)only_blocker("file-covered", NULL, "another file has that name");
}

static void test_overmounted(void **state UNUSED)
{
	mountinfo_done(&s.mount_namespaces[0].mounts);
	s.n_mount_namespaces = 0;
	set_mounts("10 1 254:0 / / rw - ext4 /dev/vda rw\n"
		   "16 10 0:24 / /tmp rw - tmpfs tmpfs rw\n"
		   "17 16 0:25 / /tmp rw - tmpfs tmpfs rw\n");
	(void)add_file("/tmp/f", S_IFREG, 16);
	(void)use(0, 3);
	s.files[0].name = PREFLIGHT_NAME_GONE;
	(void)only_blocker("file-overmounted", NULL, "the mount at '/tmp' covers it");
}

static void test_locks(void **state UNUSED)
{
	(void)add_file("/data/f", S_IFREG, 15);
	use(0, 3)->lock = xstrdup("FLOCK ADVISORY WRITE");
	(void)only_blocker("file-lock", "--file-locks", "a lock on '/data/f' (FLOCK");
	lifted_by(PREFLIGHT_FILE_LOCKS);
}

static void test_devices(void **state UNUSED)
{
	static const struct {
		mode_t mode;
		unsigned int major;
		unsigned int minor;
		bool kept;
	} devices[] = {
		{ S_IFCHR, 1, 5, true },     { S_IFCHR, 1, 11, true },
		{ S_IFCHR, 10, 200, true },  { S_IFCHR, 10, 229, false },
		{ S_IFCHR, 10, 232, false }, { S_IFCHR, 4, 0, false },
		{ S_IFCHR, 4, 1, true },     { S_IFCHR, 5, 0, true },
		{ S_IFCHR, 5, 2, true },     { S_IFCHR, 5, 3, false },
		{ S_IFCHR, 136, 7, true },   { S_IFCHR, 143, 0, true },
		{ S_IFCHR, 144, 0, false },  { S_IFBLK, 7, 0, false },
	};

	(void)add_file("/dev/x", S_IFCHR, 12);
	(void)use(0, 3);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		s.files[0].mode = devices[i].mode;
		s.files[0].rdev_major = devices[i].major;
		s.files[0].rdev_minor = devices[i].minor;
		if (devices[i].kept)
			no_finding();
		else
			(void)only_blocker("device", NULL, "'/dev/x'");
	}
	/* Mapped, only the zero device is memory. */
	s.uses[0].descriptor = PREFLIGHT_MAPPED;
	s.files[0].mode = S_IFCHR;
	s.files[0].rdev_major = 1;
	s.files[0].rdev_minor = 5;
	no_finding();
	s.files[0].rdev_minor = 1;
	(void)only_blocker("device", NULL, "is mapped");
	/* For GPUs there are plugins. */
	s.files[0].rdev_major = 226;
	(void)only_warning("device");
}

static void test_special_files(void **state UNUSED)
{
	static const char *const kept[] = { "anon_inode:[eventfd]", "anon_inode:inotify",
					    "anon_inode:[fanotify]", "anon_inode:[timerfd]",
					    "anon_inode:[signalfd]" };

	(void)add_file("anon_inode:[io_uring]", 0600, 3);
	(void)use(0, 3);
	(void)only_blocker("special-file", NULL, "an io_uring instance is open");
	s.uses[0].descriptor = PREFLIGHT_MAPPED;
	(void)only_blocker("special-file", NULL, "an io_uring instance is mapped");
	replace_ptr(s.files[0].path, xstrdup("anon_inode:[something new]"));
	(void)only_blocker("special-file", NULL, "anon_inode:[something new]");
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		replace_ptr(s.files[0].path, xstrdup(kept[i]));
		no_finding();
	}
	replace_ptr(s.files[0].path, xstrdup("anon_inode:bpf-map"));
	(void)only_blocker("special-file", NULL, "a BPF map");
	s.host.libbpf_is_linked = true;
	no_finding();
}

static void test_pipes(void **state UNUSED)
{
	struct preflight_use *u;

	(void)add_process(11, 10);
	(void)add_file("pipe:[5]", S_IFIFO, 3);
	u = use(1, 1);
	u->has_info = true;
	u->flags = O_WRONLY;
	assert_non_null(strstr(only_warning("pipe-outside")->message, "no reader"));
	/* Stdio of the first process is given to the restored one. */
	u = use(0, 1);
	u->has_info = true;
	u->flags = O_WRONLY;
	no_finding();
	s.uses[1].descriptor = 7;
	s.uses[1].flags = O_RDONLY;
	no_finding();
	s.uses[1].flags = O_RDONLY | O_DIRECT;
	(void)only_blocker("pipe-packet-mode", NULL, "pipe:[5]");
}

static void test_process_directory(void **state UNUSED)
{
	(void)add_file("/proc/7", S_IFDIR, 11);
	(void)use(0, 3);
	(void)only_blocker("process-directory", NULL, "'/proc/7'");
	replace_ptr(s.files[0].path, xstrdup("/proc/7/ns"));
	no_finding();
	replace_ptr(s.files[0].path, xstrdup("/proc"));
	no_finding();
	replace_ptr(s.files[0].path, xstrdup("/proc/self7"));
	no_finding();
}

static void test_namespace_files(void **state UNUSED)
{
	(void)add_file("uts:[77]", S_IFREG, 3);
	(void)use(0, 3);
	(void)only_blocker("namespace-file", NULL, "uts:[77]");
	s.files[0].ino = OWN_NS + PREFLIGHT_NS_UTS;
	no_finding();
	/* Of a process that is left out. */
	(void)add_process(12, 1);
	s.processes[1].is_in_tree = false;
	s.processes[1].ppid = 10;
	s.processes[1].state = 'Z';
	s.processes[1].ns[PREFLIGHT_NS_UTS] = 77;
	s.files[0].ino = 77;
	(void)only_blocker("namespace-file", NULL, "uts:[77]");
}

static void test_pidfds(void **state UNUSED)
{
	struct preflight_use *u;

	(void)add_file("anon_inode:[pidfd]", S_IFREG, 3);
	u = use(0, 3);
	u->has_info = true;
	u->pidfd_pid = 10;
	no_finding();
	u->pidfd_pid = -1; /* ended */
	no_finding();
	u->pidfd_pid = 99;
	(void)only_blocker("pidfd", NULL, "process 99");
	u->pidfd_pid = 10;
	u->flags = O_EXCL;
	(void)only_blocker("pidfd", NULL, "single thread");
}

static void test_watches(void **state UNUSED)
{
	struct preflight_file *f = add_file("anon_inode:inotify", 0600, 3);
	struct preflight_watch *w = array_push(f->watches, f->n_watches);
	const struct preflight_finding *found;

	*w = (struct preflight_watch){ .is_lost = true,
				       .fs_type = "overlay",
				       .path = xstrdup("/usr/bin") };
	(void)use(0, 3);
	found = only_blocker("file-watch", NULL, "an inotify watch on '/usr/bin'");
	assert_string_equal(found->criu_option, "irmap-scan-path /usr/bin");
	w = array_push(f->watches, f->n_watches);
	*w = (struct preflight_watch){ .is_lost = true };
	judge();
	/* Each is to be named. */
	assert_int_equal(report.n_blockers, 2);
	assert_null(report.blockers[1].criu_option);
	f->watches[0].is_lost = false;
	f->watches[1].is_lost = false;
	no_finding();
}

static void test_programs_and_socket_paths(void **state UNUSED)
{
	struct preflight_file *f = add_file("/memfd:x (deleted)", S_IFREG, 3);

	f->is_internal = true;
	f->links = 0;
	(void)use(0, PREFLIGHT_PROGRAM);
	(void)only_blocker("program-in-memory", NULL, "/memfd:x");
	s.uses[0].descriptor = 3;
	f->mode = S_IFSOCK;
	f->is_internal = false;
	f->links = 1;
	f->mnt_id = 10;
	replace_ptr(f->path, xstrdup("/run/s"));
	(void)only_blocker("socket-path", NULL, "'/run/s'");
}

static void test_tcp(void **state UNUSED)
{
	struct sock_diag_socket *k = add_socket(AF_INET, IPPROTO_TCP, TCP_ESTABLISHED);
	const struct preflight_finding *f;

	k->local = xstrdup("10.0.0.2:80");
	k->remote = xstrdup("10.0.0.1:4711");
	f = only_blocker("tcp-established", "--tcp-established", "10.0.0.2:80 - 10.0.0.1:4711");
	assert_string_equal(f->path, "10.0.0.2:80 - 10.0.0.1:4711");
	k->state = TCP_SYN_SENT;
	(void)only_blocker("tcp-established", "--tcp-established", "SYN sent");
	lifted_by(PREFLIGHT_TCP_ESTABLISHED);
	k->state = TCP_LISTEN;
	k->read_queue = 2;
	(void)only_blocker("tcp-in-flight", "--tcp-skip-in-flight", "2 TCP connections to");
	lifted_by(PREFLIGHT_TCP_SKIP_IN_FLIGHT);
}

static void test_protocols(void **state UNUSED)
{
	struct sock_diag_socket *k = add_socket(AF_INET, IPPROTO_MPTCP, TCP_LISTEN);

	(void)only_blocker("socket-protocol", NULL, "MPTCP");
	k->ino = 1; /* not this one: unknown to sock_diag */
	no_finding();
	s.files[0].protocol = xstrdup("AF_VSOCK");
	(void)only_blocker("socket-protocol", NULL, "AF_VSOCK");
	replace_ptr(s.files[0].protocol, xstrdup("RAW"));
	no_finding();
	replace_ptr(s.files[0].protocol, xstrdup("PING"));
	(void)only_blocker("socket-ping", NULL, "ICMP");
	/* In the host's network namespace a restore may have it. */
	s.host.ns[PREFLIGHT_NS_NET] = OWN_NS + PREFLIGHT_NS_NET;
	no_finding();
	s.files[0].netns = 7;
	(void)only_blocker("socket-namespace", NULL, "network namespace outside");
}

static void test_udp_and_netlink(void **state UNUSED)
{
	struct sock_diag_socket *k = add_socket(AF_INET6, IPPROTO_UDP, TCP_CLOSE);

	k->local = xstrdup("[::1]:53");
	k->read_queue = 100;
	assert_non_null(strstr(only_warning("udp-unread")->message, "[::1]:53"));
	k->read_queue = 0;
	no_finding();
	k->family = AF_NETLINK;
	k->protocol = 0;
	k->netlink_groups = 1;
	(void)only_blocker("socket-netlink", NULL, "without an address");
	k->netlink_port = 5;
	no_finding();
	k->has_high_netlink_groups = true;
	(void)only_blocker("socket-netlink", NULL, "above 32");
	k->read_queue = 10;
	(void)only_blocker("socket-netlink", NULL, "unread");
}

static void test_unix_outside(void **state UNUSED)
{
	struct sock_diag_socket *k = add_socket(AF_UNIX, 0, TCP_ESTABLISHED);
	struct sock_diag_socket *peer;

	k->type = SOCK_STREAM;
	k->peer = 5000;
	/* Unknown: of another network namespace. */
	(void)only_blocker("unix-outside", NULL, "stream socket whose other end is outside");
	peer = array_push(s.sockets.v, s.sockets.n);
	*peer = (struct sock_diag_socket){ .family = AF_UNIX,
					   .ino = 5000,
					   .name = xstrdup("/run/log") };
	give(PREFLIGHT_EXT_UNIX_SK);
	(void)only_blocker("unix-outside", NULL, "other end, '/run/log', is outside");
	s.sockets.v[0].type = SOCK_DGRAM;
	judge();
	assert_int_equal(report.n_blockers, 0);
	assert_int_equal(report.n_lifted, 1);
	strvec_add(&s.unreachable_sockets, "/run/log");
	(void)only_blocker("unix-outside", NULL, "other end, '/run/log', is outside");
	/* Inside after all. */
	(void)add_file("socket:[5000]", S_IFSOCK, 0);
	s.files[1].ino = 5000;
	(void)use(0, 9);
	no_finding();
}

static void test_unix_queues(void **state UNUSED)
{
	struct sock_diag_socket *k = add_socket(AF_UNIX, 0, TCP_LISTEN);

	k->pending = xcalloc(2, sizeof(uint32_t));
	k->n_pending = 2;
	k->pending[0] = 77;
	(void)only_blocker("unix-pending", NULL, "closed before it was accepted");
	k->pending[1] = 78;
	no_finding();
	k->state = TCP_ESTABLISHED;
	k->read_queue = 3;
	no_finding();
	s.files[0].passes_credentials = true;
	(void)only_blocker("unix-credentials", NULL, "SO_PASSCRED");
}

static void test_unix_names(void **state UNUSED)
{
	struct sock_diag_socket *k = add_socket(AF_UNIX, 0, TCP_LISTEN);

	k->name = xstrdup("/run/old");
	no_finding();
	s.files[0].socket_path = xstrdup("/run/new");
	s.files[0].place = SOCKET_IN_PLACE;
	no_finding();
	s.files[0].place = SOCKET_UNLINKED;
	no_finding();
	s.files[0].place = SOCKET_BAD_NAME;
	(void)only_blocker("unix-name", NULL, "name '/run/old' and is at '/run/new'");
	s.files[0].place = SOCKET_MOVED;
	judge();
	assert_int_equal(report.n_blockers + report.n_warnings, 0);
	assert_int_equal(report.n_notes, 1);
	assert_string_equal(report.notes[0].check, "unix-name");
	assert_string_equal(report.notes[0].path, "/run/new");
	replace_ptr(s.files[0].socket_path, xstrdup("/run/old"));
	judge();
	assert_int_equal(report.n_notes, 1);
	assert_non_null(strstr(report.notes[0].message, "fills the whole address"));
	replace_ptr(s.files[0].socket_path, xstrdup("/run/new"));
	s.files[0].place = SOCKET_LOST;
	judge();
	assert_int_equal(report.n_warnings, 1);
	assert_non_null(strstr(report.warnings[0].message, "'/run/old' is not at that name"));
	s.files[0].place = SOCKET_LINKED;
	judge();
	assert_int_equal(report.n_warnings, 1);
	assert_non_null(strstr(report.warnings[0].message, "'/run/new' has other names"));
	s.files[0].place = SOCKET_MOVED_AND_LINKED;
	judge();
	assert_int_equal(report.n_notes, 1);
	assert_int_equal(report.n_warnings, 1);
	assert_non_null(strstr(report.notes[0].message, "is '/run/new' now"));
	assert_non_null(strstr(report.warnings[0].message, "'/run/new' has other names"));
}

static void test_tun(void **state UNUSED)
{
	struct preflight_file *f = add_file("/dev/net/tun", S_IFCHR, 12);

	f->rdev_major = 10;
	f->rdev_minor = 200;
	use(0, 3)->tun_device = xstrdup("tun7");
	(void)only_blocker("tun-attached", NULL, "'tun7'");
}

static void test_process_states(void **state UNUSED)
{
	struct preflight_process *p = add_process(11, 10);

	p->tracer = 4;
	(void)only_blocker("process-traced", NULL, "traced by process 4");
	p->tracer = 0;
	p->is_stuck = true;
	(void)only_blocker("process-stuck", NULL, "state D");
	p->is_stuck = false;
	p->state = 'T';
	s.host.freezer_is_v1 = true;
	no_finding();
	s.host.is_frozen = true;
	(void)only_blocker("process-stopped", NULL, "SIGSTOP");
	p->state = 'Z';
	no_finding();
	p->threads = 3;
	(void)only_blocker("process-without-leader", NULL, "2 others");
}

static void test_hidden(void **state UNUSED)
{
	s.init_is_hidden = true;
	(void)only_blocker("process-hidden", NULL, "since a restore");
	s.init_is_hidden = false;
	s.init_will_be_hidden = true;
	judge();
	assert_int_equal(report.n_blockers + report.n_warnings, 0);
	assert_int_equal(report.n_notes, 1);
	assert_string_equal(report.notes[0].check, "process-hidden");
	/* Only a user namespace is in the way. */
	s.init_is_hidden = true;
	s.processes[0].ns[PREFLIGHT_NS_USER] = s.host.ns[PREFLIGHT_NS_USER];
	judge();
	assert_int_equal(report.n_blockers, 0);
}

static void test_namespaces(void **state UNUSED)
{
	struct preflight_process *p = add_process(11, 10);

	for (size_t i = 0; i < PREFLIGHT_NS_TIME_FOR_CHILDREN; i++) {
		p->ns[i] += 50;
		if (i == PREFLIGHT_NS_MNT)
			no_finding();
		else
			(void)only_blocker("nested-namespace", NULL, preflight_namespace_names[i]);
		p->ns[i] -= 50;
	}
	p->ns[PREFLIGHT_NS_TIME_FOR_CHILDREN] = 7;
	(void)only_blocker("nested-namespace", NULL, "time namespace");
	p->ns[PREFLIGHT_NS_TIME_FOR_CHILDREN] = 0; /* not known */
	no_finding();
}

static void test_process_rest(void **state UNUSED)
{
	struct preflight_process *p = add_process(11, 10);

	p->shares_memory = true;
	(void)only_blocker("process-shares", NULL, "CLONE_VM");
	p->shares_memory = false;
	p->shares_fs = true;
	(void)only_blocker("process-shares", NULL, "CLONE_FS");
	p->shares_fs = false;
	p->has_leader_timer = true;
	(void)only_blocker("thread-timer", NULL, "SIGEV_THREAD_ID");
	p->has_leader_timer = false;
	p->limits_are_denied = true;
	(void)only_blocker("resource-limits", NULL, "resource limits");
	p->limits_are_denied = false;
	p->has_uprobes = true;
	assert_string_equal(only_blocker("uprobes", NULL, "bpftrace")->criu_option,
			    "allow-uprobes");
	lifted_by(PREFLIGHT_ALLOW_UPROBES);
}

static void test_first_process(void **state UNUSED)
{
	(void)add_file("/new", S_IFDIR, 10);
	(void)use(0, PREFLIGHT_ROOT);
	(void)only_blocker("changed-root", NULL, "'/new'");
	replace_ptr(s.files[0].path, xstrdup("/"));
	s.processes[0].session = 4;
	(void)only_blocker("session", "--shell-job", "session 4");
	lifted_by(PREFLIGHT_SHELL_JOB);
}

static void test_others(void **state UNUSED)
{
	struct preflight_process *p = add_process(20, 3);
	struct preflight_process *child;

	p->is_in_tree = false;
	child = add_process(21, 20);
	child->is_in_tree = false;
	assert_int_equal(only_warning("process-outside")->pid, 20);
	assert_non_null(strstr(report.warnings[0].message, "`exec`"));
	s.processes[1].ns[PREFLIGHT_NS_PID] = 1;
	assert_non_null(strstr(only_warning("process-outside")->message, "somebody outside"));
	/* CRIU stops them nevertheless. */
	s.processes[2].tracer = 5;
	judge();
	assert_int_equal(report.n_blockers, 1);
	assert_string_equal(report.blockers[0].check, "process-traced");
}

static void test_labels(void **state UNUSED)
{
	struct preflight_process *p = add_process(11, 10);

	s.processes[0].security_label = xstrdup("docker-default (enforce)");
	p->security_label = xstrdup("docker-default (enforce)");
	judge();
	assert_int_equal(report.n_blockers, 0);
	assert_int_equal(report.n_notes, 1);
	assert_string_equal(report.notes[0].check, "security-label");
	replace_ptr(s.processes[1].security_label, xstrdup("other (enforce)"));
	judge();
	assert_int_equal(report.n_notes, 2);
}

static void remount(const char *line)
{
	auto_free char *text = xasprintf("%s%s", mounts_text, line);

	mountinfo_done(&s.mount_namespaces[0].mounts);
	s.n_mount_namespaces = 0;
	set_mounts(text);
}

static void test_mounts(void **state UNUSED)
{
	/* Made anew by CRIU. */
	remount("20 10 0:30 / /a rw - tmpfs x rw\n21 10 0:31 / /b rw - sysfs x rw\n"
		"22 10 0:32 /box /c rw - cgroup x rw\n");
	no_finding();
	remount("20 10 0:30 / /a rw - fuse.sshfs x rw\n");
	(void)only_blocker("mount-type", NULL, "'/a' is of type fuse.sshfs");
	strvec_add(&s.options.file_systems, "fuse.sshfs");
	no_finding();
	/* A part of what is there: of the root's own tree, of an external mount, of a whole tmpfs. */
	remount("20 10 254:0 /srv/rootfs/bin /a rw - ext4 x rw\n"
		"21 10 254:0 /srv/data/x /b rw - ext4 x rw\n"
		"22 10 0:21 /sub /c rw - tmpfs x rw\n");
	no_finding();
	remount("20 10 254:0 /home /a rw - ext4 x rw\n");
	(void)only_blocker("mount-outside", NULL, "'/a' shows '/home'");
	strvec_add(&s.externals, "/a");
	no_finding();
}

static void test_propagation(void **state UNUSED)
{
	remount("20 10 0:30 / /a rw master:9 - tmpfs x rw\n");
	(void)only_blocker("mount-propagation", NULL, "'/a' gets its mounts");
	remount("20 10 0:30 / /a rw master:9 - tmpfs x rw\n"
		"21 10 0:31 / /b rw shared:9 - tmpfs x rw\n");
	no_finding();
}

static void test_mount_content(void **state UNUSED)
{
	struct preflight_mount_state *m = array_push(s.mount_states, s.n_mount_states);

	m->mount = mountinfo_find(&s.mount_namespaces[0].mounts, "/dev/mqueue");
	no_finding();
	m->has_content = true;
	(void)only_blocker("mount-content", NULL, "message queues in '/dev/mqueue'");
}

static void test_host(void **state UNUSED)
{
	s.host.criu_error = xstrdup("there is no criu");
	(void)only_blocker("criu", NULL, "no criu");
	replace_ptr(s.host.criu_error, NULL);
	strvec_add(&s.host.missing_programs, "iptables-restore");
	assert_non_null(strstr(only_blocker("program-missing", NULL, "'iptables-restore'")->remedy,
			       "--network-lock nftables"));
	strvec_done(&s.host.missing_programs);
	s.host.lacks_memory_tracking = true;
	(void)only_blocker("memory-tracking", NULL, "CONFIG_MEM_SOFT_DIRTY");
	s.host.lacks_memory_tracking = false;
	s.host.lacks_userfaultfd = true;
	(void)only_blocker("userfaultfd", NULL, "userfaultfd");
	s.host.lacks_userfaultfd = false;
	s.host.page_server_error = xstrdup("a pipe of 4194304 bytes");
	(void)only_blocker("page-server", NULL, "a pipe of");
	replace_ptr(s.host.page_server_error, NULL);
	s.host.is_privileged = false;
	(void)only_blocker("privilege", NULL, "CAP_SYS_ADMIN");
	s.host.is_privileged = true;
	strvec_add(&s.unseen, "not seen");
	(void)only_warning("unseen");
}

static void test_space(void **state UNUSED)
{
	struct preflight_mount_state *m = array_push(s.mount_states, s.n_mount_states);

	m->mount = mountinfo_find(&s.mount_namespaces[0].mounts, "/dev");
	m->used_bytes = 1 << 20;
	s.processes[0].memory_bytes = 4 << 20;
	s.host.has_disk_free = true;
	s.host.image_path = xstrdup("/img");
	s.host.disk_free_bytes = 8 << 20;
	no_finding();
	assert_int_equal(report.estimate.memory_bytes, 4 << 20);
	assert_int_equal(report.estimate.tmpfs_bytes, 1 << 20);
	assert_int_equal(report.estimate.processes, 1);
	assert_true(report.estimate.total_bytes > 5 << 20);
	/* It might fit, compressed. */
	s.host.disk_free_bytes = 9 << 19;
	(void)only_warning("disk-space");
	s.host.disk_free_bytes = 1 << 20;
	(void)only_blocker("disk-space", NULL, "'/img'");
	s.options.has_parent = true;
	no_finding();
}

static void test_text(void **state UNUSED)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	(void)add_file("/var/log/x\ny", S_IFREG, 99);
	(void)use(0, 1);
	(void)use(0, 2);
	for (int i = 0; i < 12; i++) {
		(void)add_file("/data/f", S_IFREG, 15);
		use(0, 10 + i)->lock = xstrdup("FLOCK ADVISORY WRITE");
	}
	give(PREFLIGHT_FILE_LOCKS);
	judge();
	preflight_report_to_text(&report, false, &text);
	assert_string_equal(
		strchr(text.buf, '\n') + 1,
		"blocker: pid 10 (prog), descriptor 1 and 1 more: '/var/log/x\\012y' is open, "
		"which "
		"is on no mount of the container; give the container a pipe, /dev/null or a "
		"terminal instead when it is started\n"
		"the checkpoint will not work: 1 blocker\n");
	strbuf_clear(&text);
	preflight_report_to_text(&report, true, &text);
	assert_non_null(strstr(text.buf, "ok: pid 10 (prog), descriptor 10: a lock on '/data/f' "
					 "(FLOCK ADVISORY WRITE); ok because of --given\n"));
	assert_non_null(strstr(text.buf, "ok: and 2 more like this (see --format json)\n"));
}

static void test_json(void **state UNUSED)
{
	auto_free char *text = NULL;
	struct preflight_report again;

	(void)add_file("/data/f", S_IFREG, 15);
	use(0, 3)->lock = xstrdup("FLOCK ADVISORY WRITE");
	judge();
	text = json_encode(&preflight_report_desc, &report, JSON_COMPACT);
	assert_true(str_has_prefix(
		text,
		"{\"id\":\"box\",\"verdict\":\"blocked\",\"blockers\":[{\"check\":\"file-lock\","
		"\"pid\":10,\"command\":\"prog\",\"descriptor\":3,\"path\":\"/data/f\","
		"\"message\":\"a lock on '/data/f' (FLOCK ADVISORY WRITE)\","
		"\"option\":\"--file-locks\",\"count\":1}],\"warnings\":[],\"notes\":[],"
		"\"lifted\":[],\"estimate\":{\"processes\":1,\"threads\":1,"));
	assert_int_equal(
		json_decode(&preflight_report_desc, &again, text, strlen(text), "text", NULL), 0);
	assert_int_equal(again.n_blockers, 1);
	preflight_report_done(&again);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_plain),
		TEST(test_outside),
		TEST(test_outside_kinds),
		TEST(test_outside_terminal),
		TEST(test_deleted),
		TEST(test_deleted_name),
		TEST(test_deleted_name_read_only),
		TEST(test_covered),
		TEST(test_overmounted),
		TEST(test_locks),
		TEST(test_devices),
		TEST(test_special_files),
		TEST(test_pipes),
		TEST(test_process_directory),
		TEST(test_namespace_files),
		TEST(test_pidfds),
		TEST(test_watches),
		TEST(test_programs_and_socket_paths),
		TEST(test_tcp),
		TEST(test_protocols),
		TEST(test_udp_and_netlink),
		TEST(test_unix_outside),
		TEST(test_unix_queues),
		TEST(test_unix_names),
		TEST(test_tun),
		TEST(test_process_states),
		TEST(test_hidden),
		TEST(test_namespaces),
		TEST(test_process_rest),
		TEST(test_first_process),
		TEST(test_others),
		TEST(test_labels),
		TEST(test_mounts),
		TEST(test_propagation),
		TEST(test_mount_content),
		TEST(test_host),
		TEST(test_space),
		TEST(test_text),
		TEST(test_json),
	};

	return cmocka_run_group_tests_name("preflight_checks", tests, NULL, NULL);
}
