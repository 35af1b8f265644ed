/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/preflight_snapshot.h"

#include <sys/stat.h>

const char *const preflight_namespace_names[PREFLIGHT_NS_COUNT_] = {
	[PREFLIGHT_NS_USER] = "user",
	[PREFLIGHT_NS_PID] = "pid",
	[PREFLIGHT_NS_MNT] = "mnt",
	[PREFLIGHT_NS_NET] = "net",
	[PREFLIGHT_NS_IPC] = "ipc",
	[PREFLIGHT_NS_UTS] = "uts",
	[PREFLIGHT_NS_CGROUP] = "cgroup",
	[PREFLIGHT_NS_TIME] = "time",
	[PREFLIGHT_NS_TIME_FOR_CHILDREN] = "time_for_children",
};

const struct preflight_option_info preflight_option_infos[PREFLIGHT_OPTION_COUNT_] = {
	[PREFLIGHT_TCP_ESTABLISHED] = { "tcp-established", "--tcp-established" },
	[PREFLIGHT_TCP_SKIP_IN_FLIGHT] = { "skip-in-flight", "--tcp-skip-in-flight" },
	[PREFLIGHT_LINK_REMAP] = { "link-remap", "--link-remap" },
	[PREFLIGHT_EXT_UNIX_SK] = { "ext-unix-sk", "--ext-unix-sk" },
	[PREFLIGHT_SHELL_JOB] = { "shell-job", "--shell-job" },
	[PREFLIGHT_FILE_LOCKS] = { "file-locks", "--file-locks" },
	[PREFLIGHT_ALLOW_UPROBES] = { "allow-uprobes", NULL },
	[PREFLIGHT_EXTERNAL_MASTERS] = { "enable-external-masters", NULL },
};

static void file_done(struct preflight_file *file)
{
	for (size_t i = 0; i < file->n_watches; i++)
		free(file->watches[i].path);
	free(file->watches);
	free(file->path);
	free(file->protocol);
	free(file->socket_path);
}

static void options_done(struct preflight_options *options)
{
	for (size_t i = 0; i < PREFLIGHT_OPTION_COUNT_; i++)
		free(options->by[i]);
	strvec_done(&options->scan_paths);
	strvec_done(&options->file_systems);
}

static void host_done(struct preflight_host *host)
{
	free(host->criu_error);
	free(host->page_server_error);
	free(host->image_path);
	strvec_done(&host->missing_programs);
}

void preflight_snapshot_done(struct preflight_snapshot *s)
{
	for (size_t i = 0; i < s->n_processes; i++)
		free(s->processes[i].security_label);
	for (size_t i = 0; i < s->n_files; i++)
		file_done(&s->files[i]);
	for (size_t i = 0; i < s->n_uses; i++) {
		free(s->uses[i].lock);
		free(s->uses[i].tun_device);
	}
	for (size_t i = 0; i < s->n_mount_namespaces; i++)
		mountinfo_done(&s->mount_namespaces[i].mounts);
	free(s->processes);
	free(s->files);
	free(s->uses);
	free(s->mount_namespaces);
	free(s->mount_states);
	strvec_done(&s->externals);
	sock_diag_list_done(&s->sockets);
	strvec_done(&s->unreachable_sockets);
	options_done(&s->options);
	host_done(&s->host);
	strvec_done(&s->unseen);
	free(s->id);
	*s = (struct preflight_snapshot)PREFLIGHT_SNAPSHOT_INIT;
}

bool preflight_is_external(const struct preflight_snapshot *s, const char *mount_point)
{
	return strvec_contains(&s->externals, mount_point);
}

bool preflight_is_in_tree(const struct preflight_snapshot *s, pid_t pid)
{
	for (size_t i = 0; i < s->n_processes; i++)
		if (s->processes[i].pid == pid)
			return s->processes[i].is_in_tree;
	return false;
}

bool preflight_has_socket(const struct preflight_snapshot *s, uint32_t ino)
{
	for (size_t i = 0; i < s->n_files; i++)
		if (S_ISSOCK(s->files[i].mode) && s->files[i].ino == ino)
			return true;
	return false;
}
