/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_STATUS_H
#define NW_STATUS_H

/* nw/status.h - what every call answers: a status, and an error that belongs to the caller.
 *
 * A status depends on parameters, the public schema and the environment (memory, files, entropy), never on a private record.
 * The library never prints, never exits, never aborts, installs no handler and reads no environment variable.
 *
 *   nw_error err;
 *   if (nw_rng_new(&rng, &err) != NW_OK)
 *       fprintf(stderr, "%s: %s\n", err.function, err.message);
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define NW_API __attribute__((visibility("default")))
#define NW_WARN_UNUSED __attribute__((warn_unused_result))
#else
#define NW_API
#define NW_WARN_UNUSED
#endif

/** The answer of every function that can fail. Values are ABI: new ones are appended, none is renumbered. */
typedef enum nw_status {
    NW_OK = 0,
    NW_E_ARG = -1,         /* a parameter is outside its admissible set; the message names all three */
    NW_E_STATE = -2,       /* the call is not allowed now, for example a second release */
    NW_E_NOMEM = -3,       /* memory could not be had */
    NW_E_IO = -4,          /* a file or stream could not be opened, read, written or made durable */
    NW_E_FORMAT = -5,      /* a file is malformed or has been altered */
    NW_E_BUDGET = -6,      /* the ledger refuses the charge; nothing was drawn */
    NW_E_ENTROPY = -7,     /* the operating system gave no random bytes; nothing was drawn */
    NW_E_NUMERIC = -8,     /* a certified computation did not reach its bound */
    NW_E_UNSUPPORTED = -9, /* a valid request that this version cannot account for or carry out */
    NW_E_CANCELLED = -10   /* the caller's progress function asked to stop */
} nw_status;

#define NW_ERROR_MESSAGE_SIZE 448

/** Details of a failure. Owned by the caller, may be NULL in every call, never allocates. After NW_OK its content is
 *  unspecified. */
typedef struct nw_error {
    nw_status status;
    char function[64];                   /* public function that failed */
    char message[NW_ERROR_MESSAGE_SIZE]; /* one line: parameter, value, admissible set; never a data value */
} nw_error;

/** The name of a status, such as "NW_E_BUDGET"; "unknown status" for a value this version does not know. */
NW_API const char *nw_status_name(nw_status status);

/** Version of the library that is running, such as "0.1.0". */
NW_API const char *nw_version(void);

/** How this library was built: version, compiler, linked libraries, and the licence of the binary as a whole; and what it
 *  multiplies matrices with (nw_blas_name). One line. */
NW_API const char *nw_build_info(void);

/** What matrices are multiplied with, such as "OpenBLAS 0.3.21 with Zen kernels". It is loaded by the first call that needs
 *  it, and by this one; it is then set to one thread, for the whole process. */
NW_API const char *nw_blas_name(void);
/** True if that is several times slower than this processor could be: no OpenBLAS, or one that does not know the processor. The
 *  environment variable OPENBLAS_CORETYPE (Haswell, SkylakeX), set before the program starts, cures the latter. */
NW_API bool nw_blas_is_slow(void);

#ifdef __cplusplus
}
#endif
#endif
