/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NW_CONSTRAINTS_H
#define NW_CONSTRAINTS_H

/* nw/constraints.h - rules that every row of a synthetic table keeps.
 *
 * What it is for: a synthetic table without a six-year-old's income or an end before its start.
 * What it protects: nothing; the rules are public, as the schema is, and come from the user, never from the data. Records of a
 *   private table that break them are counted like any other: no status, and no charge, depends on them.
 * How: rules become part of a schema. Its numeric columns get bins whose edges are where the rules' conditions change; tables
 *   fitted under it (nw/synth.h) and written under it (nw_table_write_csv) keep every rule, values inside bins included.
 *
 *   { "format": "noisewright-constraints", "version": 1, "rules": [
 *     { "name": "children earn nothing", "if": {"column": "age", "less_than": 15}, "then": {"column": "pay", "missing": true} },
 *     { "forbid": {"all": [{"column": "sex", "equals": "M"}, {"column": "births", "at_least": 1}]} },
 *     { "function": {"from": "pay", "to": "bracket", "intervals": [[null, 10000, "low"], [10000, null, "high"]]} },
 *     { "order": ["start", "end"] },
 *     { "linear": {"wages": 1, "rent": 1, "income": -1}, "equals": 0, "within": 0.01 } ] }
 *
 * docs/rooms/synth.md#constraints has every key.
 */
#include <nw/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Makes a schema with rules from one without.
 *
 *  Shapes    *out: new handle, or NULL on error; `schema` stays as it is. To be freed with nw_schema_free.
 *  Units     none.
 *  Errors    NW_E_ARG on NULL, or if the schema has rules already; NW_E_IO; NW_E_FORMAT naming line and column of bad JSON, or
 *            the rule and what is wrong with it (an unknown key, column or label, a value of the wrong type, a linear rule on a
 *            column without a step), or that no row can keep the rules, or a label that could then never occur; NW_E_NOMEM.
 *  Cost      a search over the classes of values that the rules tell apart; milliseconds. Threads: any.
 *  Source    docs/rooms/synth.md#constraints.
 *  Example   docs/rooms/synth.md#constraints */
NW_API NW_WARN_UNUSED nw_status nw_constraints_read(nw_schema **out, const nw_schema *schema, const char *path, nw_error *err);
NW_API NW_WARN_UNUSED nw_status nw_constraints_parse(nw_schema **out, const nw_schema *schema, const char *json, nw_error *err);

/** Rules of a schema, 0 if it has none, and the name of rule i: as it was given, or "rule 1", "rule 2", ... Borrowed. */
NW_API size_t nw_schema_rules(const nw_schema *schema);
NW_API const char *nw_schema_rule_name(const nw_schema *schema, size_t i);
/** The rules as they were read, in JSON without blanks, to be kept beside the schema; NULL if it has none. Borrowed. */
NW_API const char *nw_schema_rules_json(const nw_schema *schema);

/** Counts, for each rule of the table's schema, the rows whose codes break it: whatever values are chosen inside their bins.
 *  An exact figure of that table: only of a table that is public, or for its holder.
 *
 *  Shapes    broken: uint64_t[nw_schema_rules], out, or NULL. *rows: out, the rows that break one rule at least, or whose bins
 *            have no values that keep all linear rules at once.
 *  Units     rows.
 *  Errors    NW_E_ARG on NULL; NW_E_NOMEM.
 *  Cost      about 1 us a row and rule. Threads: any.
 *  Source    none.
 *  Example   docs/rooms/synth.md#constraints */
NW_API NW_WARN_UNUSED nw_status nw_constraints_violations(const nw_table *table, uint64_t *broken, uint64_t *rows, nw_error *err);
/** The same of a CSV file, by the values that stand in it, moved to the nearest bound and step. Errors: also NW_E_ARG if the
 *  schema has no rules, and those of nw_table_scan_csv. */
NW_API NW_WARN_UNUSED nw_status nw_constraints_violations_csv(
    const nw_schema *schema, const char *path, uint64_t *broken, uint64_t *rows, nw_error *err);

#ifdef __cplusplus
}
#endif
#endif
