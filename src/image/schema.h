/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of this folder; image.c has them. */
#pragma once

#include "storage/db.h"

extern const struct db_schema image_schema;
