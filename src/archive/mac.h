/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A MAC address that Go has written as bytes (base64) becomes text, in place; anything else stays. */
void archive_mac_to_text(char **mac);
