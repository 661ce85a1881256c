/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* replay.c - runs a fuzz target as a plain test: every file of a corpus folder, then mutations of them from a fixed seed.
 *   replay FOLDER MUTATIONS
 * With clang, the targets link with -fsanitize=fuzzer instead of this file. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_INPUTS 256
#define MAX_BYTES 4096

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

typedef struct input {
    uint8_t bytes[MAX_BYTES];
    size_t length;
} input;

static input inputs[MAX_INPUTS];
static uint64_t random_state = 0x853c49e6748fea9b;

static uint64_t below(uint64_t bound) /* xorshift64; for tests, where its slight bias is no matter */
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % bound;
}

static size_t load(const char *folder)
{
    struct dirent **entries;
    const int found = scandir(folder, &entries, NULL, alphasort); /* in one order everywhere, so that the seed means something */
    size_t count = 0;
    for (int i = 0; i < found; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        FILE *file = entries[i]->d_name[0] != '.' && count < MAX_INPUTS ? fopen(path, "rb") : NULL;
        if (file != NULL) {
            inputs[count].length = fread(inputs[count].bytes, 1, MAX_BYTES, file);
            fclose(file);
            count++;
        }
        free(entries[i]);
    }
    free(found < 0 ? NULL : entries);
    return count;
}

static void erase(input *x, size_t at, size_t n)
{
    memmove(x->bytes + at, x->bytes + at + n, x->length - at - n);
    x->length -= n;
}

static void insert(input *x, size_t at, const void *bytes, size_t n)
{
    if (x->length + n > MAX_BYTES)
        return;
    memmove(x->bytes + at + n, x->bytes + at, x->length - at);
    memcpy(x->bytes + at, bytes, n);
    x->length += n;
}

static void mutate(input *x, size_t count)
{
    static const char *const tokens[] = {"\"", ",", "\n", "\r\n", "\r", "\"\"", "1e999", "-", "nan", "{", "}", "[", ":", "null",
        "true", "0", "1e-9", "\"log\"", "\"lower\"", "\"step\"", "\xEF\xBB\xBF", "\x1f\x8b\x08"};
    const size_t at = below(x->length + 1);
    const size_t left = x->length - at;
    switch (below(6)) {
    case 0:
        if (left > 0)
            x->bytes[at] ^= (uint8_t)(1u << below(8));
        break;
    case 1: insert(x, at, &(uint8_t){(uint8_t)below(256)}, 1); break;
    case 2: {
        const char *token = tokens[below(sizeof tokens / sizeof tokens[0])];
        insert(x, at, token, strlen(token));
        break;
    }
    case 3: erase(x, at, left == 0 ? 0 : 1 + below(left < 8 ? left : 8)); break;
    case 4: { /* a piece of the same input again */
        uint8_t piece[64];
        const size_t n = left < sizeof piece ? left : sizeof piece;
        memcpy(piece, x->bytes + at, n);
        insert(x, below(x->length + 1), piece, n);
        break;
    }
    default: { /* a piece of another one */
        const input *other = &inputs[below(count)];
        const size_t from = below(other->length + 1);
        const size_t n = other->length - from;
        insert(x, at, other->bytes + from, n < 64 ? n : 64);
        break;
    }
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    const size_t count = load(argv[1]);
    const unsigned long mutations = strtoul(argv[2], NULL, 10);
    printf("1..2\n");
    for (size_t i = 0; i < count; i++)
        LLVMFuzzerTestOneInput(inputs[i].bytes, inputs[i].length);
    printf("%sok 1 - %zu inputs of the corpus\n", count == 0 ? "not " : "", count);
    static input x;
    for (unsigned long i = 0; count > 0 && i < mutations; i++) {
        x = inputs[below(count)];
        for (uint64_t changes = 1 + below(4); changes > 0; changes--)
            mutate(&x, count);
        LLVMFuzzerTestOneInput(x.bytes, x.length);
    }
    printf("ok 2 - %lu mutations\n", mutations);
    return count == 0;
}
