/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#include "forks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static void draw_in_child(fork_draw draw, void *context, int pipe_end)
{
    uint8_t bytes[FORK_BYTES];
    const bool is_ok = draw(context, bytes) && write(pipe_end, bytes, sizeof bytes) == (ssize_t)sizeof bytes;
    _exit(is_ok ? 0 : 1);
}

bool fork_and_draw(fork_draw draw, void *context, uint8_t out[FORK_CHILDREN + 1][FORK_BYTES])
{
    int ends[2];
    pid_t children[FORK_CHILDREN];
    bool is_ok = true;
    if (pipe(ends) != 0)
        return false;
    for (int i = 0; i < FORK_CHILDREN; i++) {
        children[i] = i % 2 == 0 ? fork() : fork_by_system_call();
        if (children[i] == 0)
            draw_in_child(draw, context, ends[1]);
    }
    for (int i = 0; i < FORK_CHILDREN; i++) { /* 32 bytes are written at once or not at all */
        int status = 1;
        is_ok = children[i] > 0 && waitpid(children[i], &status, 0) == children[i] && status == 0 && is_ok;
    }
    close(ends[1]);
    for (int i = 0; i < FORK_CHILDREN; i++)
        is_ok = read(ends[0], out[i], FORK_BYTES) == FORK_BYTES && is_ok;
    close(ends[0]);
    return draw(context, out[FORK_CHILDREN]) && is_ok;
}

static int compare(const void *x, const void *y)
{
    return memcmp(x, y, FORK_BYTES);
}

size_t fork_count_repeats(uint8_t (*out)[FORK_BYTES], size_t n)
{
    size_t repeats = 0;
    qsort(out, n, FORK_BYTES, compare);
    for (size_t i = 1; i < n; i++)
        repeats += memcmp(out[i - 1], out[i], FORK_BYTES) == 0;
    return repeats;
}
