/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/checkpoint_files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/path.h"
#include "core/str.h"
#include "core/strvec.h"
#include "criu/image_check.h"
#include "criu/stats.h"
#include "engine/container_network.h"
#include "engine/copy_tree.h"
#include "engine/discard.h"
#include "engine/facts.h"
#include "engine/prepare.h"
#include "engine/records.h"
#include "engine/restore_spec.h"
#include "engine/userns.h"

#define STATUS_MAX (4U << 20)
#define PORT_WAIT_MS 2000

char *checkpoint_file(const struct container *c, const char *name)
{
	return path_join(c->static_dir, name);
}

int checkpoint_load_spec(const struct container *c, struct runtime_spec *ret, struct err *err)
{
	auto_free char *path = checkpoint_file(c, "config.json");
	struct json_string_map numbers = { 0 };
	int r = runtime_spec_load(ret, AT_FDCWD, path, err);

	if (r < 0)
		return r;
	r = facts_throttle_numbers(&c->config.limits, &numbers, err);
	if (r == 0)
		r = restore_spec_update(ret, &c->config, &numbers, err);
	json_string_map_done(&numbers);
	if (r < 0)
		runtime_spec_done(ret);
	return r;
}

bool checkpoint_exists(const struct container *c)
{
	auto_free char *path = checkpoint_file(c, CHECKPOINT_DIR "/inventory.img");

	return fs_exists(AT_FDCWD, path);
}

void checkpoint_remove(const struct container *c, const char *const *names)
{
	struct discard discard = { 0 };

	for (; *names; names++) {
		auto_free char *path = checkpoint_file(c, *names);

		discard_hold(&discard, path);
		(void)fs_remove_tree(AT_FDCWD, path);
	}
	discard_release(&discard);
}

int checkpoint_make_log(const struct container *c, const char *name, struct err *err)
{
	auto_free char *path = checkpoint_file(c, name);
	const char *label = c->config.selinux_mount;
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0)
		return err_sys(err, fd, "create '%s'", path);
	/* Where SELinux is off there is nobody to ask for it. */
	if (label && fsetxattr(fd, "security.selinux", label, strlen(label) + 1, 0) < 0 &&
	    errno != EOPNOTSUPP)
		return err_sys(err, -errno, "label '%s' as '%s'", path, label);
	return 0;
}

/* --- what a checkpoint is built upon -------------------------------------------------------------- */

#define PARENT_LINK CHECKPOINT_DIR "/parent"
#define KEPT_DIR CHECKPOINT_DIR "/" CHECKPOINT_PRE_DIR

static bool is_built_upon_previous(const char *link)
{
	char target[sizeof("../" CHECKPOINT_PRE_DIR) + 1];
	ssize_t len = readlink(link, target, sizeof(target) - 1);

	if (len < 0)
		return false;
	target[len] = '\0';
	return str_eq(target, "../" CHECKPOINT_PRE_DIR);
}

int checkpoint_settle_previous(const struct container *c, struct err *err)
{
	static const char *const unused[] = { CHECKPOINT_PRE_DIR, NULL };
	auto_free char *from = checkpoint_file(c, CHECKPOINT_PRE_DIR);
	auto_free char *to = checkpoint_file(c, KEPT_DIR);
	auto_free char *link = checkpoint_file(c, PARENT_LINK);

	if (!is_built_upon_previous(link)) {
		checkpoint_remove(c, unused);
		return 0;
	}
	if (rename(from, to) < 0 && errno != ENOENT)
		return err_sys(err, -errno, "rename '%s' to '%s'", from, to);
	/* Killed in the middle, it is there already. */
	if (!fs_exists(AT_FDCWD, to))
		return 0;
	if (unlink(link) < 0 || symlink(CHECKPOINT_PRE_DIR, link) < 0)
		return err_sys(err, -errno, "link '%s'", link);
	return 0;
}

/* --- who reads it --------------------------------------------------------------------------------- */

static int share_one(int dir_fd, const char *name, gid_t gid)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	/* A symbolic link (to the parent images) has no mode. */
	if (S_ISLNK(st.st_mode))
		return 0;
	if (fchownat(dir_fd, name, 0, gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(dir_fd, name, S_ISDIR(st.st_mode) ? 0750 : 0640, 0) < 0)
		return -errno;
	return 0;
}

static int share_directory(const char *path, gid_t gid)
{
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = fd < 0 ? fd : fs_list(fd, ".", &names);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = share_one(fd, names.v[i], gid);
	return r < 0 ? r : share_one(fd, ".", gid);
}

int checkpoint_share_images(const struct container *c, struct err *err)
{
	static const char *const names[] = { CHECKPOINT_DIR, KEPT_DIR, CHECKPOINT_PRE_DIR };
	uint32_t gid;
	int r = 0;

	if (c->config.n_uid_maps == 0)
		return 0;
	if (userns_outside(&c->config, true, 0, &gid) < 0)
		return err_set(err, ERR_INVALID, "root of container '%s' is not mapped",
			       c->config.name);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(names); i++) {
		auto_free char *path = checkpoint_file(c, names[i]);

		r = share_directory(path, gid);
		if (r < 0)
			return err_sys(err, r, "let root of the container read '%s'", path);
	}
	return 0;
}

static const char *const new_parts[] = {
	CHECKPOINT_SHM_DIR CHECKPOINT_NEW,
	CHECKPOINT_NETWORK_STATUS CHECKPOINT_NEW,
	CHECKPOINT_NEW_DIR,
	NULL,
};

void checkpoint_drop_new(const struct container *c)
{
	checkpoint_remove(c, new_parts);
}

/* Both are whole all the time. Where only one of the two is there it changes its name: done twice, all is as it was. */
static int exchange_part(const struct container *c, const char *name, struct err *err)
{
	auto_free char *place = checkpoint_file(c, name);
	auto_free char *other = xasprintf("%s" CHECKPOINT_NEW, place);
	bool is_there = fs_exists(AT_FDCWD, place);
	bool is_new = fs_exists(AT_FDCWD, other);
	int r = 0;

	if (is_there && is_new)
		r = renameat2(AT_FDCWD, other, AT_FDCWD, place, RENAME_EXCHANGE);
	else if (is_there || is_new)
		r = is_new ? rename(other, place) : rename(place, other);
	return r < 0 ? err_sys(err, -errno, "exchange '%s' and '%s'", other, place) : 0;
}

int checkpoint_exchange(const struct container *c, struct err *err)
{
	/* With the images it is there. */
	static const char *const parts[] = { CHECKPOINT_SHM_DIR, CHECKPOINT_NETWORK_STATUS,
					     CHECKPOINT_DIR };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int r = exchange_part(c, parts[i], err);

		if (r >= 0)
			continue;
		while (i-- > 0)
			(void)exchange_part(c, parts[i], NULL);
		return r;
	}
	return 0;
}

bool checkpoint_loses_connections(const struct container *c)
{
	auto_free char *path = checkpoint_file(c, CHECKPOINT_DIR);
	auto_close int dir = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);

	return dir >= 0 && container_network_is_late(c) && criu_images_have_connections(dir);
}

/* --- an end that nobody was there to see ------------------------------------------------------------ */

static char *mark_path(const struct container *c)
{
	return path_join(c->run_dir, "checkpointing");
}

/* By its number the directory is known again, wherever it is by then. */
static char *images_number(const struct container *c, const char *name)
{
	auto_free char *path = checkpoint_file(c, name);
	struct stat st;

	return stat(path, &st) < 0 ? NULL : xasprintf("%llu", (unsigned long long)st.st_ino);
}

int checkpoint_mark_ending(const struct container *c, struct err *err)
{
	static const char *const stats[] = { CRIU_STATS_DUMP, NULL };
	auto_free char *path = mark_path(c);
	auto_free char *number = images_number(c, CHECKPOINT_NEW_DIR);
	int r = -ENOENT;

	/* CRIU writes them when a dump has succeeded. */
	checkpoint_remove(c, stats);
	if (number)
		r = fs_write_atomic(AT_FDCWD, path, number, strlen(number), 0600, FS_VOLATILE);
	return r < 0 ? err_sys(err, r, "write '%s'", path) : 0;
}

void checkpoint_unmark_ending(const struct container *c)
{
	auto_free char *path = mark_path(c);

	(void)unlink(path);
}

static void note_ports(struct container *c)
{
	struct container_status *s = &c->status;
	struct network_ports old = { s->checkpoint_ports, s->n_checkpoint_ports };
	struct network_ports now = NETWORK_PORTS_INIT;

	network_ports_done(&old);
	network_ports_copy(&now, &(struct network_ports){ s->ports, s->n_ports });
	s->checkpoint_ports = now.v;
	s->n_checkpoint_ports = now.n;
	c->dirty = true;
}

void checkpoint_note(struct container *c)
{
	struct container_status *s = &c->status;

	s->checkpointed_ns = (int64_t)clock_now_realtime_ns();
	replace_ptr(s->checkpoint_path, checkpoint_file(c, CHECKPOINT_DIR));
	replace_ptr(s->checkpoint_log, checkpoint_file(c, CHECKPOINT_DUMP_LOG));
	note_ports(c);
}

void checkpoint_note_end(struct container *c)
{
	struct container_status *s = &c->status;

	checkpoint_note(c);
	s->exit_code = 0;
	s->oom_killed = false;
	s->checkpointed = true;
	s->restored = false;
	s->finished_ns = s->checkpointed_ns;
	replace_ptr(s->error, NULL);
}

int checkpoint_recover(struct container *c, struct err *err)
{
	static const char *const small[] = { CHECKPOINT_SHM_DIR, CHECKPOINT_NETWORK_STATUS };
	auto_free char *mark = mark_path(c);
	auto_free char *stats = checkpoint_file(c, CRIU_STATS_DUMP);
	auto_free char *wanted = io_read_line_at(AT_FDCWD, mark);
	auto_free char *place = images_number(c, CHECKPOINT_DIR);
	auto_free char *other = images_number(c, CHECKPOINT_NEW_DIR);
	int r;

	if (!wanted || !fs_exists(AT_FDCWD, stats) ||
	    !(str_eq(wanted, place) || str_eq(wanted, other)))
		return 0;
	/* Whichever of these is where: written anew they are right. */
	checkpoint_remove(c, (const char *const[]){ new_parts[0], new_parts[1], NULL });
	r = checkpoint_save_network(c, err);
	if (r == 0)
		r = checkpoint_save_shm(c, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(small); i++)
		r = exchange_part(c, small[i], err);
	if (r == 0 && str_eq(wanted, other))
		r = exchange_part(c, CHECKPOINT_DIR, err);
	if (r < 0)
		return err_wrap(err, r, "complete the checkpoint of container '%s'",
				c->config.name);
	checkpoint_drop_new(c);
	checkpoint_unmark_ending(c);
	checkpoint_note_end(c);
	return 0;
}

/* Also one that is not there; one that cannot be read is none, since it may hold what must not be lost. */
static bool is_empty_dir(const char *path)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = fs_list(AT_FDCWD, path, &names);

	return r == -ENOENT || (r == 0 && names.n == 0);
}

/* --- shared memory -------------------------------------------------------------------------------- */

bool checkpoint_has_shm(const struct container *c)
{
	auto_free char *shm = container_shm_path(c);

	return shm && !is_empty_dir(shm);
}

/* It is a file system of its own that ends with the container. */
int checkpoint_save_shm(const struct container *c, struct err *err)
{
	auto_free char *shm = container_shm_path(c);
	auto_free char *path = checkpoint_file(c, CHECKPOINT_SHM_DIR CHECKPOINT_NEW);
	auto_close int from = -EBADF;
	auto_close int to = -EBADF;
	int r;

	if (!checkpoint_has_shm(c))
		return 0;
	if (mkdir(path, 0700) < 0)
		return err_sys(err, -errno, "create directory '%s'", path);
	from = fd_open_at(AT_FDCWD, shm, O_PATH | O_DIRECTORY, 0);
	to = fd_open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
	r = from < 0 ? from : to < 0 ? to : copy_tree_whole(from, to);
	return r < 0 ? err_sys(err, r, "copy shared memory '%s'", shm) : 0;
}

int checkpoint_keep_shm(const struct container *c, struct err *err)
{
	int r = checkpoint_save_shm(c, err);

	return r < 0 ? r : exchange_part(c, CHECKPOINT_SHM_DIR, err);
}

int checkpoint_fill_shm(const struct container *c, const int *shm_fd, struct err *err)
{
	auto_free char *shm = container_shm_path(c);
	auto_free char *path = checkpoint_file(c, CHECKPOINT_SHM_DIR);
	auto_close int copy = fd_open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
	auto_close int to = -EBADF;
	int from = shm_fd ? *shm_fd : copy;
	int r;

	if (!shm || from == -ENOENT)
		return 0;
	to = fd_open_at(AT_FDCWD, shm, O_PATH | O_DIRECTORY, 0);
	r = from < 0 ? from : to < 0 ? to : copy_tree_whole(from, to);
	return r < 0 ? err_sys(err, r, "fill shared memory '%s'", shm) : 0;
}

/* --- addresses ------------------------------------------------------------------------------------ */

int checkpoint_save_network(const struct container *c, struct err *err)
{
	auto_free char *path = checkpoint_file(c, CHECKPOINT_NETWORK_STATUS CHECKPOINT_NEW);
	auto_network_status struct network_status status = NETWORK_STATUS_INIT;
	auto_free char *text = NULL;
	int r;

	container_network_status(c, &status);
	text = network_status_format(&status);
	r = fs_write_atomic(AT_FDCWD, path, text, strlen(text), 0600, FS_VOLATILE);
	return r < 0 ? err_sys(err, r, "write '%s'", path) : 0;
}

int checkpoint_keep_network(struct container *c, struct err *err)
{
	int r = checkpoint_save_network(c, err);

	if (r == 0)
		r = exchange_part(c, CHECKPOINT_NETWORK_STATUS, err);
	if (r < 0)
		return r;
	checkpoint_remove(c,
			  (const char *const[]){ CHECKPOINT_NETWORK_STATUS CHECKPOINT_NEW, NULL });
	note_ports(c);
	return container_save(c, err);
}

static void clear_strings(char ***list, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		free((*list)[i]);
	free(*list);
	*list = NULL;
	*n = 0;
}

/* The first interface is the container's in this network. */
static void request_same(struct network_attachment *a, const struct network_status_interface *i,
			 bool ignore_ip, bool ignore_mac)
{
	replace_ptr(a->interface_name, xstrdup(i->name));
	if (!ignore_mac && !str_is_empty(i->mac_address))
		replace_ptr(a->static_mac, xstrdup(i->mac_address));
	if (ignore_ip)
		return;
	clear_strings(&a->static_ips, &a->n_static_ips);
	for (size_t k = 0; k < i->n_subnets; k++) {
		const char *ipnet = i->subnets[k].ipnet;
		auto_free char *ip = ipnet ? xstrndup(ipnet, strcspn(ipnet, "/")) : NULL;

		if (ip)
			json_strings_add(&a->static_ips, &a->n_static_ips, ip);
	}
}

void checkpoint_strip_static(struct container_config *config, bool ignore_ip, bool ignore_mac)
{
	for (size_t i = 0; i < config->n_networks; i++) {
		struct network_attachment *a = &config->networks[i];

		if (ignore_ip)
			clear_strings(&a->static_ips, &a->n_static_ips);
		if (ignore_mac)
			replace_ptr(a->static_mac, NULL);
	}
}

int checkpoint_forget_static(const struct container *c, bool ignore_ip, bool ignore_mac,
			     struct err *err)
{
	auto_container_config struct container_config config = { 0 };
	struct container_status status = { 0 };
	int r;

	if (!ignore_ip && !ignore_mac)
		return 0;
	r = record_load(c->engine, c->config.id, &config, &status, err);
	if (r < 0)
		return r;
	container_status_done(&status);
	checkpoint_strip_static(&config, ignore_ip, ignore_mac);
	return record_save_config(c->engine, &config, err);
}

static bool is_same_port(const struct network_port *a, const struct network_port *b)
{
	return a->container_port == b->container_port && a->range == b->range &&
	       str_eq(a->protocol, b->protocol) && str_eq(a->host_ip, b->host_ip);
}

/* Whoever held it for the container may just be ending. */
static bool comes_free(const struct network_port *port, uint32_t number)
{
	uint64_t deadline = clock_now_monotonic_ns() + PORT_WAIT_MS * NSEC_PER_MSEC;

	while (!network_port_is_free(port, number)) {
		if (clock_ms_until(deadline) <= 0)
			return false;
		clock_sleep_ms(10);
	}
	return true;
}

void checkpoint_request_ports(struct container *c)
{
	const struct container_status *s = &c->status;

	for (size_t i = 0; i < c->config.n_ports; i++) {
		struct network_port *port = &c->config.ports[i];

		for (size_t k = 0; !port->host_port && k < s->n_checkpoint_ports; k++)
			if (is_same_port(port, &s->checkpoint_ports[k]) &&
			    comes_free(port, s->checkpoint_ports[k].host_port))
				port->host_port = s->checkpoint_ports[k].host_port;
	}
}

int checkpoint_request_network(struct container *c, bool ignore_ip, bool ignore_mac,
			       struct err *err)
{
	auto_free char *path = checkpoint_file(c, CHECKPOINT_NETWORK_STATUS);
	auto_network_status struct network_status status = NETWORK_STATUS_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r;

	checkpoint_strip_static(&c->config, ignore_ip, ignore_mac);
	if (ignore_ip && ignore_mac)
		return 0;
	r = io_read_file_at(AT_FDCWD, path, STATUS_MAX, &text);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_sys(err, r, "read '%s'", path);
	r = network_status_parse(&status, text.buf, text.len, path, err);
	for (size_t i = 0; r == 0 && i < c->config.n_networks; i++) {
		struct network_attachment *a = &c->config.networks[i];
		const struct network_status_entry *e = network_status_find(&status, a->network);

		if (e && e->n_interfaces > 0)
			request_same(a, &e->interfaces[0], ignore_ip, ignore_mac);
	}
	return r;
}
