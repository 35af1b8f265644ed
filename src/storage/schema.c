/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/schema.h"

static const char *const steps[] = {
	/* 1 */
	"CREATE TABLE layers("
	" chain_id TEXT PRIMARY KEY,"
	" parent TEXT REFERENCES layers(chain_id),"
	" diff_id TEXT NOT NULL,"
	" size INTEGER NOT NULL," /* bytes of regular files */
	" created INTEGER NOT NULL" /* nanoseconds */
	") WITHOUT ROWID;"
	"CREATE INDEX layers_parent ON layers(parent);"
	/* Who needs which stack of layers: "image:ID", "rootfs:ID". */
	"CREATE TABLE layer_users("
	" user TEXT PRIMARY KEY,"
	" chain_id TEXT NOT NULL REFERENCES layers(chain_id)"
	") WITHOUT ROWID;"
	"CREATE INDEX layer_users_chain ON layer_users(chain_id);"
	/* Blobs that must stay, and for whom: the digests an image names. */
	"CREATE TABLE blob_users("
	" user TEXT NOT NULL,"
	" digest TEXT NOT NULL,"
	" PRIMARY KEY(user, digest)"
	") WITHOUT ROWID;"
	"CREATE INDEX blob_users_digest ON blob_users(digest);"
	"CREATE TABLE rootfs("
	" id TEXT PRIMARY KEY,"
	" chain_id TEXT REFERENCES layers(chain_id)," /* null: an empty root */
	" read_only INTEGER NOT NULL,"
	" mounts INTEGER NOT NULL DEFAULT 0,"
	" boot_id TEXT NOT NULL DEFAULT ''" /* of the boot during which they were counted */
	") WITHOUT ROWID",
	/* 2: lines as of /proc/PID/uid_map */
	"ALTER TABLE rootfs ADD COLUMN uid_map TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE rootfs ADD COLUMN gid_map TEXT NOT NULL DEFAULT ''",
	/* 3: the boot during which it was unpacked; empty: its files are on disk, too */
	"ALTER TABLE layers ADD COLUMN boot_id TEXT NOT NULL DEFAULT ''",
};

const struct db_schema storage_schema = {
	.module = "storage",
	.steps = steps,
	.n_steps = ARRAY_SIZE(steps),
};
