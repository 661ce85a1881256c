/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_TEST_FORKS_H
#define NW_TEST_FORKS_H

/* forks.h - draws in a process and its children, which have to differ. */
#include <nw/rng.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FORK_BYTES = 32, FORK_CHILDREN = 8 };

/** fork past the C library and its pthread_atfork; not every architecture has SYS_fork. */
static inline pid_t fork_by_system_call(void)
{
    return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

/** A draw; false if it failed. */
typedef bool (*fork_draw)(void *context, uint8_t out[FORK_BYTES]);

/** FORK_CHILDREN children at once, the odd ones made by a system call that goes past the C library; each draws, and then the
 *  parent, whose draw comes last. False if a child or a draw failed. */
bool fork_and_draw(fork_draw draw, void *context, uint8_t out[FORK_CHILDREN + 1][FORK_BYTES]);
/** Sorts; how many of n draws are equal to another one. */
size_t fork_count_repeats(uint8_t (*out)[FORK_BYTES], size_t n);

#endif
