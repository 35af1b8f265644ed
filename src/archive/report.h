/* SPDX-License-Identifier: Apache-2.0 */
/* What archive_inspect() has found out, and how it is shown: checkpointctl's keys and tree. */
#pragma once

#include "archive/inspect.h"

struct report_interface {
	char *name; /* the key */
	char *ip;
	char *mac;
	char *gateway;
};

struct report_network {
	char *name;
	struct report_interface *interfaces;
	size_t n_interfaces;
};

struct report_size {
	uint64_t total;
	uint64_t pages;
	uint64_t gpu_pages;
	uint64_t rootfs_diff;
};

struct report_statistics {
	uint32_t freezing_time; /* us */
	uint32_t frozen_time;
	uint32_t memdump_time;
	uint32_t memwrite_time;
	uint64_t pages_scanned;
	uint64_t pages_written;
};

struct report_metadata {
	char *pod_name;
	char *namespace;
	struct json_string_map annotations;
};

struct report_process {
	uint32_t pid;
	char *command;
	char *cmdline;
	char *task_state;
	struct json_string_map environment;
	struct report_process *children;
	size_t n_children;
};

struct report_file {
	char *type;
	char *fd; /* "REG 3" */
	char *path;
};

struct report_files {
	uint32_t pid;
	struct report_file *v;
	size_t n_v;
};

struct report_socket_data {
	char *type;
	char *address;
	char *state;
	char *source;
	uint32_t source_port;
	char *destination;
	uint32_t destination_port;
	char *send_buffer; /* "208.0 KiB" */
	char *receive_buffer;
};

struct report_socket {
	char *protocol;
	struct report_socket_data data;
	char *kind; /* UNIXSK and so on; not in the JSON */
};

struct report_sockets {
	uint32_t pid;
	struct report_socket *v;
	size_t n_v;
};

struct report_mount {
	char *destination;
	char *type;
	char *source;
};

struct archive_report {
	char *container_name;
	char *image;
	char *id;
	char *runtime;
	char *created;
	char *checkpointed;
	char *engine;
	char *ip;
	char *mac;
	struct report_network *networks;
	size_t n_networks;
	struct report_size size;
	struct report_statistics *statistics;
	struct report_metadata *metadata;
	struct report_process *process_tree;
	struct report_files *files;
	size_t n_files;
	struct report_sockets *sockets;
	size_t n_sockets;
	struct report_mount *mounts;
	size_t n_mounts;
};

/* "208.0 KiB"; the caller owns it. */
char *report_bytes(uint64_t bytes) MUST_CHECK;
/* With its children; NULL is fine. */
void report_process_free(struct report_process *process);
