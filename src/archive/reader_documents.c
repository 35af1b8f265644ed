/* SPDX-License-Identifier: Apache-2.0 */
/* The documents of an archive, before anything of it is unpacked. */
#include <string.h>

#include "archive/reader_internal.h"
#include "core/alloc.h"
#include "core/json_table.h"

void archive_documents_done(struct archive_documents *documents)
{
	for (size_t i = 0; i < ARRAY_SIZE(documents->v); i++)
		free(documents->v[i].text);
	*documents = (struct archive_documents){ 0 };
}

static bool have_enough(const struct archive_documents *documents)
{
	return documents->v[ARCHIVE_CONFIG].text && documents->v[ARCHIVE_SPEC].text &&
	       documents->v[ARCHIVE_NETWORK_STATUS].text;
}

static int take_document(struct archive_reader *reader, const struct archive_member *member,
			 struct archive_documents *documents, struct err *err)
{
	struct archive_document *document = &documents->v[member->kind];

	return archive_reader_slurp(reader, JSON_TEXT_MAX, &document->text, &document->len, err);
}

static int documents_of_file(struct archive_reader *reader, struct archive_documents *documents,
			     struct err *err)
{
	const struct archive_member *member;
	int r;

	while ((r = archive_reader_next(reader, &member, err)) > 0) {
		if (member->kind >= ARCHIVE_DOCUMENT_MAX_)
			continue;
		r = take_document(reader, member, documents, err);
		if (r < 0)
			return r;
		/* What would have to be decompressed on the way is not worth the others. */
		if (have_enough(documents) && !archive_reader_can_seek(reader))
			break;
	}
	return r < 0 ? r : archive_reader_rewind(reader, err);
}

/* Keep the current member, whose content is small, for later. */
static int remember(struct archive_reader *reader, struct archive_documents *documents,
		    struct err *err)
{
	struct remembered *kept;
	char *data = NULL;
	size_t len = 0;
	int r = archive_reader_slurp(reader, (size_t)REMEMBERED_MAX, &data, &len, err);

	if (r < 0)
		return r;
	if (reader->member.kind < ARCHIVE_DOCUMENT_MAX_)
		documents->v[reader->member.kind] =
			(struct archive_document){ xmemdup(data, len + 1), len };
	kept = array_push(reader->remembered, reader->n_remembered);
	kept->member = reader->member;
	kept->data = data;
	kept->member.size = len;
	reader->member.name = NULL;
	return 0;
}

static int documents_of_pipe(struct archive_reader *reader, struct archive_documents *documents,
			     struct err *err)
{
	uint64_t budget = REMEMBERED_MAX;
	int r;

	while (!have_enough(documents) && (r = reader_next_from_source(reader, err)) != 0) {
		if (r < 0)
			return r;
		if (reader->member.size > budget) {
			reader->pending = true;
			break;
		}
		budget -= reader->member.size;
		r = remember(reader, documents, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int archive_reader_documents(struct archive_reader *reader, struct archive_documents *ret,
			     struct err *err)
{
	auto_archive_documents struct archive_documents documents = { 0 };
	int r = archive_reader_can_rewind(reader) ? documents_of_file(reader, &documents, err) :
						    documents_of_pipe(reader, &documents, err);

	if (r < 0)
		return r;
	*ret = documents;
	documents = (struct archive_documents){ 0 };
	return 0;
}
