/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* keys.c - which words do people use? The words are not known beforehand; then, above which length are many of them? */
#include <noisewright.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRY(call)                                                                                                                \
    do {                                                                                                                         \
        if ((call) != NW_OK) {                                                                                                   \
            fprintf(stderr, "%s: %s\n", err.function, err.message);                                                              \
            exit(1);                                                                                                             \
        }                                                                                                                        \
    } while (0)

int main(void)
{
    nw_error err;
    nw_keys *keys = NULL;
    nw_sparse *sparse = NULL;
    nw_ledger *ledger = NULL;
    nw_rng *rng = NULL;
    nw_receipt receipt;
    const char *const words[] = { "tea", "coffee", "water", "juice" };

    nw_ledger_opts budget = NW_LEDGER_OPTS_INIT;
    budget.epsilon = 3.0;
    budget.delta = 1e-6;
    budget.adjacency = NW_ADD_REMOVE;
    budget.unit = "one user";
    budget.filter = NW_FILTER_PURE; /* all of delta is for the threshold */
    TRY(nw_ledger_memory(&ledger, &budget, &err));
    TRY(nw_rng_new(&rng, &err));

    nw_keys_opts options = NW_KEYS_OPTS_INIT;
    options.epsilon = 2.0;
    options.delta = 0.0; /* discrete Laplace noise */
    options.threshold_delta = 1e-6;
    options.adjacency = NW_ADD_REMOVE;
    options.max_keys = 2; /* bounds of what one user may say */
    options.max_count = 1;
    TRY(nw_keys_new(&keys, &options, &err));
    for (uint32_t user = 0; user < 1000; user++) {
        char secret[32];
        const char *word = words[user % 7 % 4];
        snprintf(secret, sizeof secret, "name of %u", user); /* a word of one user alone must not come out */
        TRY(nw_keys_add(keys, &user, sizeof user, word, strlen(word), &err));
        TRY(nw_keys_add(keys, &user, sizeof user, secret, strlen(secret), &err));
    }
    TRY(nw_keys_release(keys, rng, ledger, "words", &receipt, &err)); /* charges, draws, drops what is below the threshold */
    printf("threshold %lld, noise %.1f\n", (long long)nw_keys_threshold(keys), nw_keys_deviation(keys));
    for (size_t i = 0; i < nw_keys_released(keys); i++) {
        const char *key = NULL;
        size_t size = 0;
        int64_t count = 0;
        TRY(nw_keys_get(keys, i, &key, &size, &count, &err));
        printf("%-8s %lld\n", key, (long long)count);
    }

    nw_sparse_opts question = NW_SPARSE_OPTS_INIT;
    question.epsilon = 1.0;
    question.sensitivity = 1; /* a user is one of each count */
    question.adjacency = NW_ADD_REMOVE;
    question.is_monotone = true;
    TRY(nw_sparse_new(&sparse, &question, &err));
    TRY(nw_sparse_start(sparse, rng, ledger, "first day", &receipt, &err)); /* charges for all questions */
    for (int64_t day = 1; nw_sparse_left(sparse) > 0 && day < 100; day++) {
        bool is_above = false;
        TRY(nw_sparse_ask(sparse, rng, 25 * day, 500, &is_above, &err)); /* 25 users more every day */
        if (is_above)
            printf("about 500 users on day %lld; epsilon spent %.3f\n", (long long)day, receipt.spent_epsilon);
    }

    nw_sparse_free(sparse);
    nw_keys_free(keys);
    nw_ledger_close(ledger);
    nw_rng_free(rng);
    return 0;
}
