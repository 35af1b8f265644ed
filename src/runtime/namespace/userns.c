/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/namespace/userns.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/fd.h"
#include "core/io.h"

static void add_map(struct strbuf *sb, const struct oci_id_mapping *map, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strbuf_addf(sb, "%u %u %u\n", map[i].container_id, map[i].host_id, map[i].size);
}

static int write_file(pid_t pid, const char *name, const char *text, struct err *err)
{
	char path[64];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	r = io_write_file_at(AT_FDCWD, path, text);
	return r < 0 ? err_sys(err, r, "write %s of the container's init", name) : 0;
}

int userns_write_maps(pid_t pid, const struct oci_linux *linux_, struct err *err)
{
	auto_strbuf struct strbuf uids = STRBUF_INIT;
	auto_strbuf struct strbuf gids = STRBUF_INIT;
	int r = 0;

	add_map(&uids, linux_->uid_mappings, linux_->n_uid_mappings);
	add_map(&gids, linux_->gid_mappings, linux_->n_gid_mappings);
	/* Without privilege a group map may only be written once setgroups(2) is denied
	 * (user_namespaces(7)). */
	if (geteuid() != 0)
		r = write_file(pid, "setgroups", "deny", err);
	if (r == 0)
		r = write_file(pid, "uid_map", uids.buf, err);
	return r < 0 ? r : write_file(pid, "gid_map", gids.buf, err);
}
