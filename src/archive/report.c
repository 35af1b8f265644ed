/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/report.h"

#include <inttypes.h>

#include "core/alloc.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "core/utf8.h"

/* --- tables --- */

JSON_DESC_STATIC(interface_desc, struct report_interface,
		 F_STRING(struct report_interface, ip, "ip", 0),
		 F_STRING(struct report_interface, mac, "mac", 0),
		 F_STRING(struct report_interface, gateway, "gateway", 0));
JSON_DESC_STATIC(network_desc, struct report_network,
		 F_STRING(struct report_network, name, "name", JSON_ALWAYS),
		 F_OBJECT_MAP(struct report_network, interfaces, struct report_interface,
			      "interfaces", JSON_ALWAYS, interface_desc));
JSON_DESC_STATIC(size_desc, struct report_size, F_U64(struct report_size, total, "total_size", 0),
		 F_U64(struct report_size, pages, "memory_pages_size", 0),
		 F_U64(struct report_size, gpu_pages, "amd_gpu_memory_pages_size", 0),
		 F_U64(struct report_size, rootfs_diff, "root_fs_diff_size", 0));
JSON_DESC_STATIC(statistics_desc, struct report_statistics,
		 F_U32(struct report_statistics, freezing_time, "freezing_time", 0),
		 F_U32(struct report_statistics, frozen_time, "frozen_time", 0),
		 F_U32(struct report_statistics, memdump_time, "memdump_time", 0),
		 F_U32(struct report_statistics, memwrite_time, "memwrite_time", 0),
		 F_U64(struct report_statistics, pages_scanned, "pages_scanned", 0),
		 F_U64(struct report_statistics, pages_written, "pages_written", 0));
JSON_DESC_STATIC(metadata_desc, struct report_metadata,
		 F_STRING(struct report_metadata, pod_name, "pod_name", 0),
		 F_STRING(struct report_metadata, namespace, "kubernetes_namespace", 0),
		 F_STRING_MAP(struct report_metadata, annotations, "annotations", 0));

/* A process has processes. */
static const struct json_desc process_desc;
JSON_DESC_STATIC(process_desc, struct report_process,
		 F_U32(struct report_process, pid, "pid", JSON_ALWAYS),
		 F_STRING(struct report_process, command, "command", JSON_ALWAYS),
		 F_STRING(struct report_process, cmdline, "cmdline", 0),
		 F_STRING(struct report_process, task_state, "task_state", 0),
		 F_STRING_MAP(struct report_process, environment, "environment_variables", 0),
		 F_OBJECTS(struct report_process, children, struct report_process, "children", 0,
			   process_desc));

JSON_DESC_STATIC(file_desc, struct report_file,
		 F_STRING(struct report_file, type, "type", JSON_ALWAYS),
		 F_STRING(struct report_file, fd, "fd", JSON_ALWAYS),
		 F_STRING(struct report_file, path, "path", JSON_ALWAYS));
JSON_DESC_STATIC(files_desc, struct report_files,
		 F_U32(struct report_files, pid, "pid", JSON_ALWAYS),
		 F_OBJECTS(struct report_files, v, struct report_file, "open_files", 0, file_desc));
JSON_DESC_STATIC(socket_data_desc, struct report_socket_data,
		 F_STRING(struct report_socket_data, type, "type", 0),
		 F_STRING(struct report_socket_data, address, "address", 0),
		 F_STRING(struct report_socket_data, state, "state", 0),
		 F_STRING(struct report_socket_data, source, "src", 0),
		 F_U32(struct report_socket_data, source_port, "src_port", 0),
		 F_STRING(struct report_socket_data, destination, "dst", 0),
		 F_U32(struct report_socket_data, destination_port, "dst_port", 0),
		 F_STRING(struct report_socket_data, send_buffer, "send_buf", 0),
		 F_STRING(struct report_socket_data, receive_buffer, "recv_buf", 0));
JSON_DESC_STATIC(socket_desc, struct report_socket,
		 F_STRING(struct report_socket, protocol, "protocol", 0),
		 F_OBJECT(struct report_socket, data, struct report_socket_data, "data",
			  JSON_ALWAYS, socket_data_desc));
JSON_DESC_STATIC(sockets_desc, struct report_sockets,
		 F_U32(struct report_sockets, pid, "pid", JSON_ALWAYS),
		 F_OBJECTS(struct report_sockets, v, struct report_socket, "open_sockets", 0,
			   socket_desc));
JSON_DESC_STATIC(mount_desc, struct report_mount,
		 F_STRING(struct report_mount, destination, "destination", JSON_ALWAYS),
		 F_STRING(struct report_mount, type, "type", JSON_ALWAYS),
		 F_STRING(struct report_mount, source, "source", JSON_ALWAYS));

#define ALWAYS(member, key) F_STRING(struct archive_report, member, key, JSON_ALWAYS)
JSON_DESC_STATIC(report_desc, struct archive_report, ALWAYS(container_name, "container_name"),
		 ALWAYS(image, "image"), ALWAYS(id, "id"), ALWAYS(runtime, "runtime"),
		 ALWAYS(created, "created"),
		 F_STRING(struct archive_report, checkpointed, "checkpointed", 0),
		 ALWAYS(engine, "engine"), F_STRING(struct archive_report, ip, "ip", 0),
		 F_STRING(struct archive_report, mac, "mac", 0),
		 F_OBJECTS(struct archive_report, networks, struct report_network, "networks", 0,
			   network_desc),
		 F_OBJECT(struct archive_report, size, struct report_size, "checkpoint_size",
			  JSON_ALWAYS, size_desc),
		 F_OBJECT_PTR(struct archive_report, statistics, struct report_statistics,
			      "statistics", 0, statistics_desc),
		 F_OBJECT_PTR(struct archive_report, metadata, struct report_metadata, "metadata",
			      0, metadata_desc),
		 F_OBJECT_PTR(struct archive_report, process_tree, struct report_process,
			      "process_tree", 0, process_desc),
		 F_OBJECTS(struct archive_report, files, struct report_files, "file_descriptors", 0,
			   files_desc),
		 F_OBJECTS(struct archive_report, sockets, struct report_sockets, "sockets", 0,
			   sockets_desc),
		 F_OBJECTS(struct archive_report, mounts, struct report_mount, "mounts", 0,
			   mount_desc));
#undef ALWAYS

void archive_report_free(struct archive_report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->n_sockets; i++)
		for (size_t k = 0; k < report->sockets[i].n_v; k++)
			free(report->sockets[i].v[k].kind);
	json_done(&report_desc, report);
	free(report);
}

void report_process_free(struct report_process *process)
{
	if (!process)
		return;
	json_done(&process_desc, process);
	free(process);
}

/* Take the process out of the tree: what it was becomes an empty one. */
static bool take_process(struct report_process *from, uint32_t pid, struct report_process *ret)
{
	if (from->pid == pid) {
		*ret = *from;
		*from = (struct report_process){ 0 };
		return true;
	}
	for (size_t i = 0; i < from->n_children; i++)
		if (take_process(&from->children[i], pid, ret))
			return true;
	return false;
}

int archive_report_select(struct archive_report *report, uint32_t pid, struct err *err)
{
	struct report_process found;

	if (!report->process_tree || !take_process(report->process_tree, pid, &found))
		return err_set(err, ERR_NOT_FOUND,
			       "no process has the pid %u; --ps-tree shows all of them", pid);
	json_done(&process_desc, report->process_tree);
	*report->process_tree = found;
	return 0;
}

struct json_object *archive_report_to_json(const struct archive_report *report)
{
	return json_encode_value(&report_desc, report);
}

/* --- the tree --- */

char *report_bytes(uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes / 1024;
	size_t i = 0;

	if (bytes < 1024)
		return xasprintf("%" PRIu64 " B", bytes);
	while (value >= 1024 && i + 1 < ARRAY_SIZE(units)) {
		value /= 1024;
		i++;
	}
	return xasprintf("%.1f %s", value, units[i]);
}

static char *microseconds(uint32_t us)
{
	if (us < 1000)
		return xasprintf("%u us", us);
	if (us < 1000000)
		return xasprintf("%.1f ms", us / 1e3);
	return xasprintf("%.1f s", us / 1e6);
}

/* Lines of a tree: whether a line is the last of its branch is known when the next one comes, so they are
 * collected with their depth and drawn at the end. */
struct line {
	unsigned int depth;
	char *text;
};
struct lines {
	struct line *v;
	size_t n;
};

static void add(struct lines *lines, unsigned int depth, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void add(struct lines *lines, unsigned int depth, const char *fmt, ...)
{
	struct line *line = array_push(lines->v, lines->n);
	auto_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	line->depth = depth;
	/* Names in an archive are a stranger's. */
	line->text = utf8_printable(text);
}

/* Whether another line of this depth follows before the branch ends. */
static bool goes_on(const struct lines *lines, size_t i, unsigned int depth)
{
	while (++i < lines->n && lines->v[i].depth >= depth)
		if (lines->v[i].depth == depth)
			return true;
	return false;
}

static char *draw(struct lines *lines)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < lines->n; i++) {
		unsigned int depth = lines->v[i].depth;

		for (unsigned int d = 1; d < depth; d++)
			strbuf_adds(&sb, goes_on(lines, i, d) ? "│   " : "    ");
		if (depth > 0)
			strbuf_adds(&sb, goes_on(lines, i, depth) ? "├── " : "└── ");
		strbuf_addf(&sb, "%s\n", lines->v[i].text);
		free(lines->v[i].text);
	}
	free(lines->v);
	return strbuf_take(&sb);
}

static const char *text_or_empty(const char *s)
{
	return s ? s : "";
}

static void add_networks(struct lines *lines, const struct archive_report *r)
{
	if (r->ip)
		add(lines, 1, "IP: %s", r->ip);
	if (r->mac)
		add(lines, 1, "MAC: %s", r->mac);
	for (size_t i = 0; i < r->n_networks; i++) {
		add(lines, 1, "Network: %s", r->networks[i].name);
		for (size_t k = 0; k < r->networks[i].n_interfaces; k++) {
			const struct report_interface *f = &r->networks[i].interfaces[k];

			add(lines, 2, "Interface: %s", f->name);
			if (f->ip)
				add(lines, 3, "IP: %s", f->ip);
			if (f->mac)
				add(lines, 3, "MAC: %s", f->mac);
			if (f->gateway)
				add(lines, 3, "Gateway: %s", f->gateway);
		}
	}
}

static void add_size(struct lines *lines, unsigned int depth, const char *what, uint64_t bytes)
{
	auto_free char *text = report_bytes(bytes);

	if (bytes > 0 || depth == 1)
		add(lines, depth, "%s: %s", what, text);
}

static void add_time(struct lines *lines, const char *what, uint32_t us)
{
	auto_free char *text = microseconds(us);

	add(lines, 2, "%s: %s", what, text);
}

static void add_statistics(struct lines *lines, const struct report_statistics *s)
{
	add(lines, 1, "CRIU dump statistics");
	add_time(lines, "Freezing time", s->freezing_time);
	add_time(lines, "Frozen time", s->frozen_time);
	add_time(lines, "Memdump time", s->memdump_time);
	add_time(lines, "Memwrite time", s->memwrite_time);
	add(lines, 2, "Pages scanned: %" PRIu64, s->pages_scanned);
	add(lines, 2, "Pages written: %" PRIu64, s->pages_written);
}

static void add_metadata(struct lines *lines, const struct report_metadata *m)
{
	add(lines, 1, "Metadata");
	if (m->pod_name)
		add(lines, 2, "Pod name: %s", m->pod_name);
	if (m->namespace)
		add(lines, 2, "Kubernetes namespace: %s", m->namespace);
	if (m->annotations.n > 0)
		add(lines, 2, "Annotations");
	for (size_t i = 0; i < m->annotations.n; i++)
		add(lines, 3, "%s: %s", m->annotations.v[i].key, m->annotations.v[i].value);
}

static void add_files(struct lines *lines, const struct archive_report *r, uint32_t pid,
		      unsigned int depth)
{
	for (size_t i = 0; i < r->n_files; i++) {
		if (r->files[i].pid != pid)
			continue;
		add(lines, depth, "Open files");
		for (size_t k = 0; k < r->files[i].n_v; k++)
			add(lines, depth + 1, "[%s]  %s", r->files[i].v[k].fd,
			    r->files[i].v[k].path);
	}
}

static void add_socket(struct lines *lines, const struct report_socket *socket, unsigned int depth)
{
	const struct report_socket_data *d = &socket->data;

	if (str_eq(socket->kind, "UNIXSK"))
		add(lines, depth, "[UNIX (%s)]  %s", text_or_empty(socket->protocol),
		    str_is_empty(d->address) ? "@" : d->address);
	else if (str_eq(socket->kind, "INETSK"))
		add(lines, depth, "[%s%s%s%s]  %s:%u -> %s:%u (↑ %s ↓ %s)",
		    text_or_empty(socket->protocol), d->state ? " (" : "", text_or_empty(d->state),
		    d->state ? ")" : "", text_or_empty(d->source), d->source_port,
		    text_or_empty(d->destination), d->destination_port,
		    text_or_empty(d->send_buffer), text_or_empty(d->receive_buffer));
	else
		add(lines, depth, "[%s]  ↑ %s ↓ %s", text_or_empty(socket->protocol),
		    text_or_empty(d->send_buffer), text_or_empty(d->receive_buffer));
}

static void add_sockets(struct lines *lines, const struct archive_report *r, uint32_t pid,
			unsigned int depth)
{
	for (size_t i = 0; i < r->n_sockets; i++) {
		if (r->sockets[i].pid != pid)
			continue;
		add(lines, depth, "Open sockets");
		for (size_t k = 0; k < r->sockets[i].n_v; k++)
			add_socket(lines, &r->sockets[i].v[k], depth + 1);
	}
}

static void add_process(struct lines *lines, const struct archive_report *r,
			const struct report_process *p, unsigned int depth)
{
	const char *name = str_is_empty(p->cmdline) ? text_or_empty(p->command) : p->cmdline;

	if (str_eq(p->task_state, "Alive"))
		add(lines, depth, "[%u]  %s", p->pid, name);
	else
		add(lines, depth, "[%u (%s)]  %s", p->pid, text_or_empty(p->task_state), name);
	if (p->environment.n > 0)
		add(lines, depth + 1, "Environment variables");
	for (size_t i = 0; i < p->environment.n; i++)
		add(lines, depth + 2, "%s=%s", p->environment.v[i].key, p->environment.v[i].value);
	add_files(lines, r, p->pid, depth + 1);
	add_sockets(lines, r, p->pid, depth + 1);
	for (size_t i = 0; i < p->n_children; i++)
		add_process(lines, r, &p->children[i], depth + 1);
}

static void add_mounts(struct lines *lines, const struct archive_report *r)
{
	add(lines, 1, "Overview of mounts");
	for (size_t i = 0; i < r->n_mounts; i++) {
		add(lines, 2, "Destination: %s", r->mounts[i].destination);
		add(lines, 3, "Type: %s", text_or_empty(r->mounts[i].type));
		add(lines, 3, "Source: %s", text_or_empty(r->mounts[i].source));
	}
}

char *archive_report_to_tree(const struct archive_report *report, const char *title)
{
	struct lines lines = { 0 };
	auto_free char *tree = NULL;

	add(&lines, 0, "%s",
	    str_is_empty(report->container_name) ? "Container" : report->container_name);
	add(&lines, 1, "Image: %s", text_or_empty(report->image));
	add(&lines, 1, "ID: %s", text_or_empty(report->id));
	add(&lines, 1, "Runtime: %s", text_or_empty(report->runtime));
	add(&lines, 1, "Created: %s", text_or_empty(report->created));
	if (report->checkpointed)
		add(&lines, 1, "Checkpointed: %s", report->checkpointed);
	add(&lines, 1, "Engine: %s", text_or_empty(report->engine));
	add_networks(&lines, report);
	add_size(&lines, 1, "Checkpoint size", report->size.total);
	add_size(&lines, 2, "Memory pages size", report->size.pages);
	add_size(&lines, 2, "AMD GPU memory pages size", report->size.gpu_pages);
	if (report->size.rootfs_diff > 0)
		add_size(&lines, 1, "Root FS diff size", report->size.rootfs_diff);
	if (report->statistics)
		add_statistics(&lines, report->statistics);
	if (report->metadata)
		add_metadata(&lines, report->metadata);
	if (report->process_tree) {
		add(&lines, 1, "Process tree");
		add_process(&lines, report, report->process_tree, 2);
	}
	if (report->n_mounts > 0)
		add_mounts(&lines, report);
	tree = draw(&lines);
	return xasprintf("\nDisplaying container checkpoint tree view from %s\n\n%s\n", title,
			 tree);
}
