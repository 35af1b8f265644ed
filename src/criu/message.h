/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making requests to CRIU. A request is the generated struct CriuReq of rpc.proto: its scalar fields
 * are set directly (with CRIU_SET for optional ones, because presence matters), strings and lists by
 * the functions below, so that everything in a request belongs to it and one call frees it.
 */
#pragma once

#include "core/auto.h"
#include "core/macro.h"

#include "criu/rpc.pb-c.h"

/* A request of this type; with_opts: with an empty list of options whose images_dir_fd is -1. */
CriuReq *criu_message_new(CriuReqType type, bool with_opts) MUST_CHECK;
/* NULL is fine. Only for what criu_message_new() made. */
void criu_message_free(CriuReq *req);

DEFINE_AUTO_PTR(criu_message, CriuReq, criu_message_free)
#define auto_criu_message auto_cleanup(criu_message_cleanup_ptr)

/* Set an optional scalar field and mark it present, also when the value is zero. */
#define CRIU_SET(opts, field, value)                                                               \
	do {                                                                                       \
		(opts)->has_##field = true;                                                        \
		(opts)->field = (value);                                                           \
	} while (0)

/* Strings are copied. *field is a string member of a message; value NULL makes it absent. */
void criu_opts_set_string(char **field, const char *value);
void criu_opts_set_page_server(CriuOpts *opts, const char *address, int port);
void criu_opts_add_external(CriuOpts *opts, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A pair that is there already is not added again. */
void criu_opts_add_ext_mount(CriuOpts *opts, const char *key, const char *value);
void criu_opts_add_inherit_fd(CriuOpts *opts, const char *key, int fd);
void criu_opts_add_join_ns(CriuOpts *opts, const char *type, const char *path);
/* ctrl NULL: for all hierarchies; "": the unified one. */
void criu_opts_add_cgroup_root(CriuOpts *opts, const char *ctrl, const char *path);

/* "DUMP" and so on, as in rpc.proto; never NULL. */
const char *criu_type_to_string(CriuReqType type);

/*
 * The fields of a message that are present, one "name: value" a line, in the order of their numbers,
 * members of sub-messages as "name.member". For the debug log and for golden tests. The caller owns
 * the text.
 */
char *criu_message_to_text(const ProtobufCMessage *message);
