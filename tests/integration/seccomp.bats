#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The seccomp filter of the configuration is in force.

load ../lib/helpers

@test "no filter without a section in the configuration" {
	script_is 'sed -n "s/^Seccomp:[[:space:]]*//p" /proc/self/status'
	run_container
	[ "$output" = 0 ]
}

@test "a filter is installed" {
	configure '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64"],
		syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }] }'
	script_is 'sed -n "s/^Seccomp:[[:space:]]*//p" /proc/self/status'
	run_container
	[ "$output" = 2 ]
}

@test "the errno action answers EPERM" {
	configure '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }] }'
	script_is 'mkdir /dev/shm/x; touch /dev/shm/y && echo touched'
	run_container
	contains "$output" "Operation not permitted" touched
}

@test "the errno action answers the errno that is asked for" {
	configure '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28 }] }'
	script_is 'mkdir /dev/shm/x'
	run_container
	contains "$output" "No space left on device"
}

@test "the default action has its own errno" {
	# Everything that a static shell needs is allowed, and mkdir is not.
	configure '.linux.seccomp = { defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 28, syscalls: [{
		names: ["access", "arch_prctl", "brk", "capget", "capset", "chdir", "clone", "clone3", "close", "close_range",
			"connect", "dup", "dup2", "dup3", "epoll_create1", "epoll_ctl", "epoll_pwait", "execve", "execveat", "exit",
			"exit_group", "faccessat", "faccessat2", "fchdir", "fchmod", "fchown", "fcntl", "fork", "fstat", "fstatfs",
			"futex", "getcwd", "getdents64", "getegid", "geteuid", "getgid", "getpgrp", "getpid", "getppid", "getrandom",
			"gettid", "getuid", "ioctl", "lseek", "lstat", "madvise", "mmap", "mprotect", "mremap", "munmap", "nanosleep",
			"newfstatat", "open", "openat", "openat2", "pipe", "pipe2", "poll", "prctl", "pread64", "prlimit64",
			"read", "readlink", "readlinkat", "rseq", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend",
			"sched_getaffinity", "sched_yield", "seccomp", "sendmsg", "recvmsg", "sendto", "recvfrom", "set_robust_list",
			"set_tid_address", "setgid", "setgroups", "setresgid", "setresuid", "setsid", "setuid", "sigaltstack",
			"socket", "stat", "statfs", "statx", "tgkill", "umask", "uname", "unlink", "vfork", "wait4", "write", "writev"],
		action: "SCMP_ACT_ALLOW" }] }'
	script_is 'echo alive; mkdir /dev/shm/x'
	run_container
	contains "$output" alive "No space left on device"
}

@test "the kill action kills" {
	configure '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_KILL_PROCESS" }] }'
	# The first process of a PID namespace would be spared the core dump, not the kill.
	script_is 'mkdir /dev/shm/x; echo "after $?"'
	run_container
	contains "$output" "after 159"
}

@test "rules look at arguments" {
	# kill(pid, SIGUSR1) is refused, other signals are not.
	configure '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["kill"], action: "SCMP_ACT_ERRNO",
		args: [{ index: 1, value: 10, op: "SCMP_CMP_EQ" }] }] }'
	# shellcheck disable=SC2016
	script_is 'trap "echo usr2" USR2; kill -USR1 $$ && echo wrong; kill -USR2 $$; echo end'
	run_container
	contains "$output" "Operation not permitted" usr2 end
	[[ $output != *wrong* ]]
}

@test "masked comparison of an argument" {
	# The low two bits of the signal number: USR2 (12) has none, USR1 (10) has one.
	configure '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["kill"], action: "SCMP_ACT_ERRNO",
		args: [{ index: 1, value: 2, valueTwo: 2, op: "SCMP_CMP_MASKED_EQ" }] }] }'
	# shellcheck disable=SC2016
	script_is 'trap "echo usr2" USR2; kill -USR1 $$ && echo wrong; kill -USR2 $$; echo end'
	run_container
	contains "$output" "Operation not permitted" usr2 end
	[[ $output != *wrong* ]]
}

@test "a system call that does not exist is passed over" {
	configure '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{ names: ["no_such_call", "mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }] }'
	script_is 'mkdir /dev/shm/x'
	run_container
	contains "$output" "Operation not permitted"
}

@test "an unknown action is refused" {
	configure '.linux.seccomp = { defaultAction: "SCMP_ACT_SHRUG" }'
	run_container
	[ "$status" -eq 1 ]
	contains "$output" SHRUG
	[ ! -e "$STATE/$ID" ]
}

@test "an unknown architecture is refused" {
	configure '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_ABACUS"],
		syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_ERRNO" }] }'
	run_container
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" ABACUS
}

@test "a filter that notifies of nothing needs no agent" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun wants an agent for every filter with a listenerPath"
	configure '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/no/such/socket" }'
	command_is true
	run_container
	[ "$status" -eq 0 ]
}

@test "the filter is in force without no_new_privs too" {
	configure '.process.noNewPrivileges = false | .linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }] }'
	script_is 'mkdir /dev/shm/x; sed -n "s/^NoNewPrivs:[[:space:]]*//p" /proc/self/status'
	run_container
	contains "$output" "Operation not permitted"
	[ "${lines[-1]}" = 0 ]
}

@test "the filter may forbid what the runtime itself needed before" {
	# Without no_new_privs the filter is loaded before the user changes; with it, at the very end.
	configure '.process.user = { uid: 1000, gid: 1000 } | .linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{ names: ["setuid", "setresuid", "mount", "unshare", "setns", "pivot_root", "chroot"],
			action: "SCMP_ACT_ERRNO" }] }'
	script_is 'id -u'
	run_container
	[ "$status" -eq 0 ]
	[ "$output" = 1000 ]
}
