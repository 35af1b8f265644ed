/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of this folder. */
#pragma once

#include "storage/db.h"

extern const struct db_schema storage_schema;
