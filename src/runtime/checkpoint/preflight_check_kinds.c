/* SPDX-License-Identifier: Apache-2.0 */
/* Open files that have no lasting content: devices, pipes, and the kernel's own kinds. */
#include "runtime/checkpoint/preflight_check.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/str.h"

static void check_secret_memory(const struct preflight_snapshot *s, struct preflight_report *report,
				const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	if (f->fs_magic == SECRETMEM_MAGIC)
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .use = u,
				      .message = xstrdup("memory of memfd_secret(2), which nobody "
							 "else can read, CRIU included"),
				      .remedy = "turn its use off in the program, or forbid it by "
						"seccomp" });
}

/* Of GPUs: CRIU has plugins for some. */
static bool is_gpu(const struct preflight_file *f)
{
	return f->rdev_major == 226 /* DRM */ || f->rdev_major == 195 /* NVIDIA */ ||
	       str_has_prefix(f->path, "/dev/nvidia") || str_has_prefix(f->path, "/dev/kfd");
}

/* Memory devices (null, zero, random, kmsg), tun and autofs, and terminals; a mapping of zero only. */
static bool is_kept(const struct preflight_use *u, const struct preflight_file *f)
{
	if (!S_ISCHR(f->mode))
		return false;
	if (u->descriptor == PREFLIGHT_MAPPED)
		return f->rdev_major == MEM_MAJOR && f->rdev_minor == 5;
	if (f->rdev_major == MISC_MAJOR)
		return f->rdev_minor == 200 || f->rdev_minor == 235;
	return f->rdev_major == MEM_MAJOR || preflight_is_terminal(f);
}

static void check_devices(const struct preflight_snapshot *s, struct preflight_report *report,
			  const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	{
		if ((!S_ISCHR(f->mode) && !S_ISBLK(f->mode)) || is_kept(u, f))
			continue;
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .severity = is_gpu(f) ? PREFLIGHT_WARNING : PREFLIGHT_BLOCKER,
				      .use = u,
				      .message = xasprintf(
					      "%s device '%s' (%u:%u) %s, which CRIU %s",
					      S_ISBLK(f->mode) ? "block" : "character", f->path,
					      f->rdev_major, f->rdev_minor, preflight_use_word(u),
					      is_gpu(f) ? "can keep only with the plugin "
							  "for it" :
							  "cannot keep"),
				      .remedy = is_gpu(f) ? "see that CRIU has that plugin" :
							    "close it before the checkpoint" });
	}
}

/* Anonymous inodes that CRIU keeps, as their links name them. */
static bool is_kept_anonymous(const struct preflight_snapshot *s, const char *link)
{
	static const char *const kept[] = {
		"anon_inode:[eventfd]", "anon_inode:[eventpoll]", "anon_inode:inotify",
		"anon_inode:[inotify]", "anon_inode:[fanotify]",  "anon_inode:[signalfd]",
		"anon_inode:[timerfd]", "anon_inode:[pidfd]",
	};

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (strcmp(link, kept[i]) == 0)
			return true;
	return s->host.libbpf_is_linked && strcmp(link, "anon_inode:bpf-map") == 0;
}

struct anonymous_kind {
	const char *link;
	const char *what;
	const char *remedy;
};

static const struct anonymous_kind *anonymous_kind(const char *link)
{
	static const struct anonymous_kind kinds[] = {
		{ "anon_inode:[io_uring]", "an io_uring instance",
		  "turn io_uring off in the program, or forbid it by seccomp" },
		{ "anon_inode:[perf_event]", "a perf event", "stop the profiling" },
		{ "anon_inode:bpf-map", "a BPF map", "stop the BPF program" },
		{ "anon_inode:bpf-prog", "a BPF program", "stop it" },
		{ "anon_inode:[userfaultfd]", "a userfaultfd", "turn its use off in the program" },
		{ "anon_inode:seccomp notify", "a listener for seccomp notifications",
		  "end the supervisor" },
		{ "anon_inode:[landlock-ruleset]", "a Landlock rule set",
		  "close it once it is in force" },
		{ "anon_inode:[fscontext]", "a file system that is being configured", "try again" },
		{ "anon_inode:kvm-vm", "a virtual machine", "end it before the checkpoint" },
		{ "anon_inode:[secretmem]", "secret memory", "turn its use off in the program" },
		{ NULL, NULL, "close it before the checkpoint" },
	};
	const struct anonymous_kind *k = kinds;

	while (k->link && strcmp(k->link, link) != 0)
		k++;
	return k;
}

static void check_anonymous(const struct preflight_snapshot *s, struct preflight_report *report,
			    const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	{
		const struct anonymous_kind *kind;

		if (!str_has_prefix(f->path, "anon_inode:") || is_kept_anonymous(s, f->path))
			continue;
		kind = anonymous_kind(f->path);
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .use = u,
				      .message = xasprintf("%s %s, which CRIU cannot keep",
							   kind->what ? kind->what : f->path,
							   preflight_use_word(u)),
				      .remedy = kind->remedy });
	}
}

static void check_pipes(const struct preflight_snapshot *s, struct preflight_report *report,
			const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	if (S_ISFIFO(f->mode) && u->has_info && u->flags & O_DIRECT)
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .use = u,
				      .message = xasprintf("%s is in packet mode (O_DIRECT), which "
							   "CRIU cannot keep",
							   f->path),
				      .remedy = "turn packet mode off in the program" });
}

/* Whether a process has the pipe open for reading, or for writing. */
static bool has_pipe_end(const struct preflight_snapshot *s, size_t file, bool writing)
{
	for (const struct preflight_use *u = s->uses; u < s->uses + s->n_uses; u++) {
		unsigned int mode = u->flags & O_ACCMODE;

		if (u->file == file && u->has_info &&
		    (mode == O_RDWR || mode == (writing ? O_WRONLY : O_RDONLY)))
			return true;
	}
	return false;
}

/*
 * A restore gives the pipes that are init's stdio to the new container's caller. Others come back
 * with the ends that the container had: writing gives EPIPE, reading the end of file. Those of a
 * pipe whose other end is closed already are no different afterwards, but that cannot be told from
 * here; init's own descriptors are the ones that are likely to lead out.
 */
static void check_outside_pipes(const struct preflight_snapshot *s, struct preflight_report *report,
				const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	{
		bool writes = (u->flags & O_ACCMODE) == O_WRONLY;
		bool is_stdio = false;

		if (!str_has_prefix(f->path, "pipe:") || !u->has_info || !writes ||
		    has_pipe_end(s, u->file, false))
			continue;
		for (const struct preflight_use *o = s->uses; o < s->uses + s->n_uses; o++)
			if (o->file == u->file && o->process == 0 && o->descriptor >= 0 &&
			    o->descriptor <= 2)
				is_stdio = true;
		if (!is_stdio)
			preflight_add(
				report, s, check,
				(struct preflight_item){
					.severity = PREFLIGHT_WARNING,
					.use = u,
					.message = xasprintf("%s has no reader in the container; "
							     "after a restore, writing to it fails",
							     f->path) });
	}
}

/* "/proc/7" */
static bool is_process_directory(const struct preflight_file *f)
{
	const char *number;

	if (!f->mount || !S_ISDIR(f->mode) || !str_eq(f->mount->fs_type, "proc"))
		return false;
	number = str_skip_prefix(f->path, f->mount->mount_point);
	return number && number[0] == '/' && number[1] &&
	       number[1 + strspn(number + 1, "0123456789")] == '\0';
}

/* CRIU restores the directory of a process itself (not what is in it) under a garbled name. */
static void check_process_directories(const struct preflight_snapshot *s,
				      struct preflight_report *report, const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	if (is_process_directory(f))
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .use = u,
				      .message = xasprintf("directory '%s' %s, which CRIU does "
							   "not restore",
							   f->path, preflight_use_word(u)),
				      .remedy = "close it before the checkpoint" });
}

/* "net:[4026531840]": whether it is the namespace of a process that CRIU takes. */
static bool is_own_namespace(const struct preflight_snapshot *s, const struct preflight_file *f)
{
	for (size_t i = 0; i < s->n_processes; i++)
		for (size_t k = 0; s->processes[i].is_in_tree && k < PREFLIGHT_NS_COUNT_; k++)
			if (s->processes[i].ns[k] == f->ino)
				return true;
	return false;
}

static bool is_namespace(const struct preflight_file *f)
{
	size_t len = strcspn(f->path, ":");

	for (size_t i = 0; i < PREFLIGHT_NS_COUNT_; i++)
		if (strlen(preflight_namespace_names[i]) == len &&
		    strncmp(f->path, preflight_namespace_names[i], len) == 0)
			return f->path[len] == ':' && f->path[len + 1] == '[';
	return false;
}

static void check_namespaces(const struct preflight_snapshot *s, struct preflight_report *report,
			     const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	if (is_namespace(f) && !is_own_namespace(s, f))
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .use = u,
				      .message = xasprintf("namespace %s %s, in which no process "
							   "of the container is",
							   f->path, preflight_use_word(u)),
				      .remedy = "close it before the checkpoint" });
}

static bool is_pidfd(const struct preflight_file *f)
{
	return str_has_prefix(f->path, "pidfd:") || str_eq(f->path, "anon_inode:[pidfd]");
}

/* PIDFD_THREAD is O_EXCL (Linux 6.9). */
static void check_pidfds(const struct preflight_snapshot *s, struct preflight_report *report,
			 const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	{
		bool of_thread = u->flags & O_EXCL;

		if (!is_pidfd(f) || !u->has_info || u->pidfd_pid < 0)
			continue;
		if (!of_thread && preflight_is_in_tree(s, u->pidfd_pid))
			continue;
		preflight_add(
			report, s, check,
			(struct preflight_item){
				.use = u,
				.message = of_thread ?
						   xstrdup("a pidfd of a single thread, which CRIU "
							   "cannot keep") :
						   xasprintf("a pidfd of process %d, which the "
							     "checkpoint "
							     "does not include",
							     u->pidfd_pid),
				.remedy = "close it before the checkpoint" });
	}
}

static void add_watch(const struct preflight_snapshot *s, struct preflight_report *report,
		      const char *check, const struct preflight_use *u,
		      const struct preflight_watch *w)
{
	const char *kind = strstr(preflight_file_of(s, u)->path, "fanotify") ? "a fanotify" :
									       "an inotify";

	preflight_add(
		report, s, check,
		(struct preflight_item){
			.use = u,
			.path = w->path,
			.is_separate = true,
			.message = xasprintf("%s watch on %s%s%s, which CRIU will not find again "
					     "(%s)",
					     kind, w->path ? "'" : "a file", w->path ? w->path : "",
					     w->path ? "'" : "",
					     w->fs_type ? w->fs_type : "no mount of the container"),
			.criu_option = w->path ? xasprintf("irmap-scan-path %s", w->path) : NULL,
			.remedy = w->path ? "or watch files of a bind mount or tmpfs" :
					    "watch files of a bind mount or tmpfs instead" });
}

static void check_watches(const struct preflight_snapshot *s, struct preflight_report *report,
			  const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	for (size_t i = 0; i < f->n_watches; i++)
		if (f->watches[i].is_lost)
			add_watch(s, report, check, u, &f->watches[i]);
}

/* CRIU restores a memfd as a memfd, but cannot make it the program. */
static void check_programs(const struct preflight_snapshot *s, struct preflight_report *report,
			   const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	if (u->descriptor == PREFLIGHT_PROGRAM && f->is_internal)
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .use = u,
				      .message = xasprintf("the program is a file in memory "
							   "('%s'), which CRIU does not restore",
							   f->path),
				      .remedy = "run it from a file" });
}

/* Opened by O_PATH; CRIU takes it for a socket. */
static void check_socket_paths(const struct preflight_snapshot *s, struct preflight_report *report,
			       const char *check)
{
	PREFLIGHT_FOR_EACH_USE(s, u, f)
	if (S_ISSOCK(f->mode) && f->path[0] == '/')
		preflight_add(report, s, check,
			      (struct preflight_item){
				      .use = u,
				      .message = xasprintf("the file of unix socket '%s' is open "
							   "(O_PATH), which CRIU cannot keep",
							   f->path),
				      .remedy = "close it before the checkpoint" });
}

const struct preflight_check preflight_kind_checks[] = {
	{ "secret-memory", check_secret_memory },
	{ "device", check_devices },
	{ "special-file", check_anonymous },
	{ "pipe-packet-mode", check_pipes },
	{ "pipe-outside", check_outside_pipes },
	{ "process-directory", check_process_directories },
	{ "namespace-file", check_namespaces },
	{ "pidfd", check_pidfds },
	{ "file-watch", check_watches },
	{ "program-in-memory", check_programs },
	{ "socket-path", check_socket_paths },
	{ NULL, NULL },
};
