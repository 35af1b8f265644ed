/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes that CRIU starts for itself: programs that set rules of the network, children by which it tries what the
 * kernel can do. It waits for each of them; when it is killed they remain, and some of the latter never end.
 */
#pragma once

/* Before CRIU is started: its orphans become our children (PR_SET_CHILD_SUBREAPER, Linux 3.4). */
void criu_helpers_adopt(void);
/*
 * After CRIU has failed and was reaped, when no other child is of any worth: kill what still has CRIU's own program, wait for
 * other programs, which end what they are about, for five seconds at most.
 */
void criu_helpers_end(void);
