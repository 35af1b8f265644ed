/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoint archives without containers, for tests and benchmarks.
 *
 *	archive write [-c CODEC] [-j THREADS] DIR TARGET
 *		DIR has the members as files; the directories rootfs-diff, devshm and volumes/NAME become
 *		rootfs-diff.tar, devshm-checkpoint.tar and volumes/NAME.tar
 *	archive unpack [-j THREADS] [-i] ARCHIVE DIR
 *		-i: what is in the tars goes to DIR.rootfs, DIR.shm and DIR.volumes/NAME, which must exist
 *	archive list ARCHIVE
 *		kind, type, size and name of each member, and what kind of archive it is
 *	archive documents ARCHIVE
 *		the names of the documents that are found before unpacking
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/reader.h"
#include "archive/writer.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/str.h"
#include "core/strvec.h"

static const char *const documents[] = { "config.dump",	  "spec.dump",	 "network.status",
					 "deleted.files", "bind.mounts", "status.dump",
					 "status",	  "stats-dump",	 "ctr.log" };

static int add_tar(struct archive_writer *w, int dir, const char *from, const char *name,
		   struct err *err)
{
	auto_archive_tree struct archive_tree *tree = archive_tree_new();
	int r;

	if (!fs_exists(dir, from))
		return 0;
	r = archive_tree_add_all(tree, dir, from, ".", 0, err);
	return r < 0 ? r : archive_writer_add_tar(w, name, tree, err);
}

static int add_volumes(struct archive_writer *w, int dir, struct err *err)
{
	auto_close int volumes = fd_open_at(dir, "volumes", O_RDONLY | O_DIRECTORY, 0);
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = volumes < 0 ? 0 : fs_list(volumes, ".", &names);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		auto_free char *name = xasprintf("volumes/%s.tar", names.v[i]);

		r = add_tar(w, volumes, names.v[i], name, err);
	}
	return r;
}

static int add_images(struct archive_writer *w, int dir, const char *name, struct err *err)
{
	auto_archive_tree struct archive_tree *tree = archive_tree_new();
	int r = archive_tree_add_all(tree, dir, name, name, ARCHIVE_TREE_PRIVATE, err);

	return r < 0 ? r : archive_writer_add_tree(w, tree, err);
}

static int add_all(struct archive_writer *w, int dir, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(documents); i++)
		r = archive_writer_add_file(w, dir, documents[i], documents[i], err);
	if (r == 0)
		r = add_tar(w, dir, "devshm", "devshm-checkpoint.tar", err);
	if (r == 0)
		r = add_tar(w, dir, "rootfs-diff", "rootfs-diff.tar", err);
	if (r == 0)
		r = add_volumes(w, dir, err);
	if (r == 0)
		r = add_images(w, dir, "pre-checkpoint", err);
	return r < 0 ? r : add_images(w, dir, "checkpoint", err);
}

static int do_write(const struct archive_writer_options *options, const char *from,
		    const char *target, struct err *err)
{
	auto_archive_writer struct archive_writer *w = NULL;
	auto_close int dir = fd_open_at(AT_FDCWD, from, O_RDONLY | O_DIRECTORY, 0);
	struct archive_writer_result result;
	int r = dir < 0 ? err_sys(err, dir, "open '%s'", from) :
			  archive_writer_open(&w, target, options, err);

	if (r == 0)
		r = add_all(w, dir, err);
	if (r == 0)
		r = archive_writer_commit(w, &result, err);
	if (r == 0)
		fprintf(stderr,
			"%" PRIu64 " members, %" PRIu64 " bytes of tar, %" PRIu64 " of archive\n",
			result.n_members, result.tar_bytes, result.archive_bytes);
	return r;
}

static int take_inner(void *context, const struct archive_member *member, struct tar_reader *tar,
		      struct err *err)
{
	auto_free char *volume = archive_member_volume(member);
	auto_free char *path = NULL;
	auto_rooted struct rooted root = ROOTED_INIT;
	int r;

	if (volume)
		path = xasprintf("%s.volumes/%s", (const char *)context, volume);
	else
		path = xasprintf("%s.%s", (const char *)context,
				 member->kind == ARCHIVE_SHM_TAR ? "shm" : "rootfs");
	r = rooted_open(&root, AT_FDCWD, path);
	if (r < 0)
		return err_sys(err, r, "open '%s'", path);
	r = archive_unpack_inner(tar, &root, NULL, err);
	return r < 0 ? r : 1;
}

static int do_unpack(const struct archive_reader_options *options, bool inner, const char *archive,
		     char *to, struct err *err)
{
	const struct archive_unpack_options unpack_options = { .inner = inner ? take_inner : NULL,
							       .context = to };
	auto_archive_reader struct archive_reader *reader = NULL;
	auto_archive_documents struct archive_documents found = { 0 };
	auto_close int dir = fd_open_at(AT_FDCWD, to, O_RDONLY | O_DIRECTORY, 0);
	int r = dir < 0 ? err_sys(err, dir, "open '%s'", to) :
			  archive_reader_open(&reader, archive, options, err);

	if (r == 0)
		r = archive_reader_documents(reader, &found, err);
	return r < 0 ? r : archive_reader_unpack(reader, dir, &unpack_options, NULL, err);
}

static int do_list(const char *archive, struct err *err)
{
	static const char types[] = "-dl";
	auto_archive_reader struct archive_reader *reader = NULL;
	const struct archive_member *member;
	int r = archive_reader_open(&reader, archive, NULL, err);

	while (r == 0 && (r = archive_reader_next(reader, &member, err)) > 0) {
		printf("%c %s %" PRIu64 " %s\n", types[member->type],
		       archive_member_kind_to_string(member->kind), member->size, member->name);
		r = 0;
	}
	if (r == 0)
		printf("%s%s\n", archive_reader_format(reader),
		       archive_reader_can_seek(reader) ? ", any member at once" : "");
	return r;
}

static int do_documents(const char *archive, struct err *err)
{
	auto_archive_reader struct archive_reader *reader = NULL;
	auto_archive_documents struct archive_documents found = { 0 };
	int r = archive_reader_open(&reader, archive, NULL, err);

	if (r == 0)
		r = archive_reader_documents(reader, &found, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(found.v); i++)
		if (found.v[i].text)
			printf("%s %zu\n",
			       archive_member_kind_to_string((enum archive_member_kind)i),
			       found.v[i].len);
	return r;
}

int main(int argc, char **argv)
{
	struct archive_writer_options writer = { 0 };
	struct archive_reader_options reader = { 0 };
	const char *command = argc > 1 ? argv[1] : "";
	struct err err = ERR_INIT;
	bool inner = false;
	int r = -EINVAL;
	int option;

	optind = 2;
	while ((option = getopt(argc, argv, "c:j:i")) != -1) {
		if (option == 'c' && archive_codec_from_string(optarg, &writer.codec) < 0)
			return 2;
		if (option == 'j')
			writer.threads = reader.threads = (unsigned int)(optarg[0] - '0');
		if (option == 'i')
			inner = true;
	}
	if (str_eq(command, "write") && argc == optind + 2)
		r = do_write(&writer, argv[optind], argv[optind + 1], &err);
	else if (str_eq(command, "unpack") && argc == optind + 2)
		r = do_unpack(&reader, inner, argv[optind], argv[optind + 1], &err);
	else if (str_eq(command, "list") && argc == optind + 1)
		r = do_list(argv[optind], &err);
	else if (str_eq(command, "documents") && argc == optind + 1)
		r = do_documents(argv[optind], &err);
	else
		return 2;
	if (r < 0)
		fprintf(stderr, "archive: %s\n", err.msg);
	return r < 0 ? 1 : 0;
}
