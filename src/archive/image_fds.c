/* SPDX-License-Identifier: Apache-2.0 */
/* Open files and sockets of the processes, from fdinfo-*.img and files.img. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "archive/image_set.h"
#include "core/alloc.h"
#include "core/str.h"
#include "criu/image_file.h"
#include "criu/images.pb-c.h"

/* Descriptors of all processes together. */
#define FDS_MAX ((size_t)1 << 20)

/* CRIU's enum fd_types. */
enum { TYPE_INET = 4, TYPE_UNIX = 5, TYPE_PACKET = 10, TYPE_NETLINK = 13 };
static const char *const type_names[] = {
	"UND",	     "REG",	"PIPE",	    "FIFO",	"INETSK", "UNIXSK",   "EVENTFD",
	"EVENTPOLL", "INOTIFY", "SIGNALFD", "PACKETSK", "TTY",	  "FANOTIFY", "NETLINKSK",
	"NS",	     "TUNF",	"EXT",	    "TIMERFD",	"MEMFD",  "BPFMAP",   "PIDFD"
};

struct files {
	CriuFileView **v; /* sorted by id */
	size_t n;
};

static int compare_ids(const void *a, const void *b)
{
	uint32_t p = (*(CriuFileView *const *)a)->id;
	uint32_t q = (*(CriuFileView *const *)b)->id;

	return p < q ? -1 : p > q;
}

static struct files load_files(struct image_set *images)
{
	const struct image_data *image = image_set_find(images, "files.img");
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	struct files files = { 0 };

	if (!image || image_file_open_memory(&file, image->data, image->len, 0) < 0)
		return files;
	while (image_file_next(&file) > 0 && files.n < FDS_MAX) {
		CriuFileView *view = criu_file_view__unpack(NULL, file.len, file.entry);

		if (!view)
			break;
		*array_push(files.v, files.n) = view;
	}
	if (files.n > 0)
		qsort(files.v, files.n, sizeof(*files.v), compare_ids);
	return files;
}

static void files_done(struct files *files)
{
	for (size_t i = 0; i < files->n; i++)
		criu_file_view__free_unpacked(files->v[i], NULL);
	free(files->v);
}

static const CriuFileView *find_file(const struct files *files, uint32_t id)
{
	CriuFileView key = CRIU_FILE_VIEW__INIT;
	CriuFileView *p = &key;
	CriuFileView **found;

	key.id = id;
	if (files->n == 0)
		return NULL;
	found = bsearch(&p, files->v, files->n, sizeof(*files->v), compare_ids);
	return found ? *found : NULL;
}

static const char *type_name(uint32_t type)
{
	return type < ARRAY_SIZE(type_names) ? type_names[type] : "UND";
}

/* --- addresses --- */

static char *address_text(uint32_t family, const uint32_t *words, size_t n)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (family == AF_INET && n >= 1)
		(void)inet_ntop(AF_INET, words, text, sizeof(text));
	else if (family == AF_INET6 && n >= 4)
		(void)inet_ntop(AF_INET6, words, text, sizeof(text));
	return xstrdup(text);
}

static const char *protocol_name(uint32_t protocol)
{
	switch (protocol) {
	case 1:
		return "ICMP";
	case 6:
		return "TCP";
	case 17:
		return "UDP";
	case 58:
		return "ICMPV6";
	case 136:
		return "UDPL";
	case 255:
		return "RAW";
	default:
		return "UNKNOWN";
	}
}

static const char *tcp_state(uint32_t state)
{
	static const char *const names[] = { NULL,	   "ESTABLISHED", "SYN_SENT",  "SYN_RECV",
					     "FIN_WAIT1",  "FIN_WAIT2",	  "TIME_WAIT", "CLOSE",
					     "CLOSE_WAIT", "LAST_ACK",	  "LISTEN",    "CLOSING" };

	return state < ARRAY_SIZE(names) ? names[state] : NULL;
}

static const char *socket_type(uint32_t type)
{
	switch (type) {
	case SOCK_STREAM:
		return "STREAM";
	case SOCK_DGRAM:
		return "DGRAM";
	case SOCK_SEQPACKET:
		return "SEQPACKET";
	default:
		return "UNKNOWN";
	}
}

/* An abstract name begins with a NUL, shown as "@". */
static char *unix_name(const CriuUnixView *usk)
{
	char *text = xmalloc(usk->name.len + 1);

	for (size_t i = 0; i < usk->name.len; i++)
		text[i] = usk->name.data[i] ? (char)usk->name.data[i] : '@';
	text[usk->name.len] = '\0';
	/* A name on disk ends with NULs. */
	while (usk->name.len > 0 && usk->name.data[0] && str_has_suffix(text, "@"))
		text[strlen(text) - 1] = '\0';
	return text;
}

/* --- files --- */

static char *file_path(const CriuFileView *file)
{
	if (!file)
		return xstrdup("unknown path");
	if (file->reg)
		return xstrdup(file->reg->name ? file->reg->name : "");
	if (file->pipe)
		return xasprintf("pipe[%u]", file->pipe->pipe_id);
	if (file->fifo)
		return xasprintf("fifo[%u]", file->fifo->pipe_id);
	if (file->memfd)
		return xasprintf("memfd[%u]", file->memfd->inode_id);
	if (file->usk)
		return unix_name(file->usk);
	if (file->isk) {
		auto_free char *from =
			address_text(file->isk->family, file->isk->src_addr, file->isk->n_src_addr);
		auto_free char *to =
			address_text(file->isk->family, file->isk->dst_addr, file->isk->n_dst_addr);

		return xasprintf("%s:%u -> %s:%u", from, file->isk->src_port, to,
				 file->isk->dst_port);
	}
	return xasprintf("%s[%u]", type_name(file->type), file->id);
}

static void add_file(struct report_files *to, const char *type, const char *fd,
		     const CriuFileView *file)
{
	struct report_file *entry = array_push(to->v, to->n_v);

	entry->type = xstrdup(type);
	entry->fd = *fd ? xasprintf("%s %s", type, fd) : xstrdup(type);
	entry->path = file_path(file);
}

static void add_fs(struct image_set *images, const struct files *files, const struct process *p,
		   struct report_files *to)
{
	const struct image_data *image = image_set_find(images, "fs-%u.img", p->fs_id);
	auto_image_file struct image_file file = IMAGE_FILE_INIT;
	CriuFsView *fs = NULL;

	if (!image)
		image = image_set_find(images, "fs-%u.img", p->pid);
	if (image && image_file_open_memory(&file, image->data, image->len, 0) == 0 &&
	    image_file_next(&file) > 0)
		fs = criu_fs_view__unpack(NULL, file.len, file.entry);
	if (!fs)
		return;
	add_file(to, "cwd", "", find_file(files, fs->cwd_id));
	add_file(to, "root", "", find_file(files, fs->root_id));
	criu_fs_view__free_unpacked(fs, NULL);
}

/* Called for each descriptor of a process. */
typedef void each_fd(void *context, const CriuFdView *fd, const CriuFileView *file);

static void walk_fds(struct image_set *images, const struct files *files, const struct process *p,
		     each_fd *each, void *context, size_t *n_left)
{
	const struct image_data *image = image_set_find(images, "fdinfo-%u.img", p->files_id);
	auto_image_file struct image_file file = IMAGE_FILE_INIT;

	if (!image || image_file_open_memory(&file, image->data, image->len, 0) < 0)
		return;
	while (*n_left > 0 && image_file_next(&file) > 0) {
		CriuFdView *fd = criu_fd_view__unpack(NULL, file.len, file.entry);

		if (!fd)
			return;
		--*n_left;
		each(context, fd, find_file(files, fd->id));
		criu_fd_view__free_unpacked(fd, NULL);
	}
}

static void each_file(void *context, const CriuFdView *fd, const CriuFileView *file)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%u", fd->fd);
	add_file(context, type_name(fd->type), number, file);
}

void image_set_files(struct image_set *images, struct archive_report *report)
{
	struct files files = load_files(images);
	size_t n_left = FDS_MAX;

	for (size_t i = 0; i < images->n_processes; i++) {
		const struct process *p = &images->processes[i];
		struct report_files *to = array_push(report->files, report->n_files);

		to->pid = p->pid;
		walk_fds(images, &files, p, each_file, to, &n_left);
		add_fs(images, &files, p, to);
	}
	files_done(&files);
}

/* --- sockets --- */

static void take_buffers(struct report_socket *to, const CriuSocketOptions *opts)
{
	if (!opts)
		return;
	to->data.send_buffer = report_bytes(opts->so_sndbuf);
	to->data.receive_buffer = report_bytes(opts->so_rcvbuf);
}

static void take_inet(struct report_socket *to, const CriuInetView *isk)
{
	const char *state = isk->proto == IPPROTO_TCP ? tcp_state(isk->state) : NULL;

	to->protocol = xstrdup(protocol_name(isk->proto));
	to->data.type = xstrdup(to->protocol);
	to->data.state = state ? xstrdup(state) : NULL;
	to->data.source = address_text(isk->family, isk->src_addr, isk->n_src_addr);
	to->data.source_port = isk->src_port;
	to->data.destination = address_text(isk->family, isk->dst_addr, isk->n_dst_addr);
	to->data.destination_port = isk->dst_port;
	take_buffers(to, isk->opts);
}

static void each_socket(void *context, const CriuFdView *fd, const CriuFileView *file)
{
	struct report_sockets *list = context;
	struct report_socket *to;

	if (!file || (!file->isk && !file->usk && !file->psk && !file->nlsk))
		return;
	to = array_push(list->v, list->n_v);
	to->kind = xstrdup(type_name(fd->type));
	if (file->isk) {
		take_inet(to, file->isk);
	} else if (file->usk) {
		to->protocol = xstrdup(socket_type(file->usk->type));
		to->data.type = xstrdup("UNIX");
		to->data.address = unix_name(file->usk);
	} else {
		to->protocol = xstrdup(file->psk ? "PACKET" : "NETLINK");
		take_buffers(to, file->psk ? file->psk->opts : file->nlsk->opts);
	}
}

void image_set_sockets(struct image_set *images, struct archive_report *report)
{
	struct files files = load_files(images);
	size_t n_left = FDS_MAX;

	for (size_t i = 0; i < images->n_processes; i++) {
		struct report_sockets list = { .pid = images->processes[i].pid };

		walk_fds(images, &files, &images->processes[i], each_socket, &list, &n_left);
		if (list.n_v > 0)
			*array_push(report->sockets, report->n_sockets) = list;
	}
	files_done(&files);
}
