#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# report.sh - nw-synth --report: a page that stands alone, says nothing true of the table, and shows names as the text they are.
. "$(dirname "$0")/lib.sh"

oracle() { # page, measurements, synthetic table, and maybe the real one
    python3 "$root/tests/cli/report_oracle.py" "$@"
}

# Twenty thousand records whose counts are all known and distinctive: codes that depend on each other.
awk 'BEGIN { OFS = ","; print "a,b,c,d"; seed = 7
    for (i = 0; i < 20011; i++) { seed = (seed * 16807) % 2147483647; a = seed % 7; if (a > 3 && seed % 3) a = 1
        seed = (seed * 16807) % 2147483647; print a, (a + seed % 3) % 5, seed % 4, (seed % 11 < 7) } }' >big.csv
echo '{"a": 7, "b": 5, "c": 4, "d": 2}' >big.json
run=(nw-synth big.csv --schema big.json --epsilon 0.3 --delta 1e-9 -o synth.csv --measurements m.nwm --report r.html --quiet)

"${run[@]}" --manifest m.json --insecure-seed 5 2>run.err
is report__exit_code $? 0
check report__holds_no_number_but_public_ones oracle r.html m.nwm synth.csv big.csv
is report__is_in_the_manifest "$(json m.json '[o["path"] for o in d["outputs"]], "unsafe_compare" in d')" \
    "(['synth.csv', 'm.nwm', 'r.html'], False)"
like report__of_seeded_noise_says_so r.html 'NOT PRIVATE. The noise came from --insecure-seed'
"${run[@]}" --adjacency replace-one --rows 501 2>run.err
check report__of_replace_one_holds_none_either oracle r.html m.nwm synth.csv
like report__names_neighbours r.html 'replace_one: tables that differ'
like report__names_the_loss r.html 'epsilon 0\.(3|29[0-9]+), delta 1e-09, rounded up'
unlike report__is_not_marked_without_reason r.html 'NOT PRIVATE'

# A fit, which has no real table to look at, makes the same page of the same measurements but for the table's own figures.
nw-synth fit --measurements m.nwm --rows 700 --seed 3 -o fit.csv --report fit.html
check fit__report_holds_none_either oracle fit.html m.nwm fit.csv
like fit__report_names_the_loss_of_the_measurements fit.html 'epsilon 0\.(3|29[0-9]+) at delta 1e-09'
like fit__report_names_its_seed fit.html 'seed of the fit</dt><dd>3<'
cp fit.html again.html
nw-synth fit --measurements m.nwm --rows 700 --seed 3 -o fit.csv --report fit.html
check fit__report_is_the_same_every_time cmp fit.html again.html

# ---- a page that stands alone, and is well formed ----
cat >page.py <<'EOF2'
import html.parser, re, sys
VOID = {"meta", "br", "hr", "img", "link", "input", "rect", "circle", "path", "polyline"}
class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.refs, self.seen, self.text = [], set(), set(), set(), []
    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        for name, value in attrs:
            assert name not in ("href", "src", "srcset", "action", "style") and not name.startswith("on"), (tag, name)
            assert "://" not in (value or "") or name == "xmlns", value
            if name == "id":
                assert value not in self.ids, value
                self.ids.add(value)
            if name == "aria-labelledby":
                self.refs |= set(value.split())
        if tag not in ("meta",):
            self.open.append(tag)
    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()
    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open[-3:], self.getpos())
        self.open.pop()
    def handle_data(self, data):
        self.text.append(data)
p = Page()
source = open(sys.argv[1], encoding="utf-8").read()
p.feed(source)
p.close()
assert p.open == [], p.open
assert p.refs and p.refs <= p.ids, p.refs - p.ids
assert p.seen <= {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "p", "ul", "li", "dl", "dt", "dd",
                  "div", "figure", "figcaption", "details", "summary", "table", "thead", "tbody", "tr", "th", "td", "svg",
                  "desc", "text", "rect", "circle", "path", "polyline"}, p.seen
assert "url(" not in source and "@import" not in source
for svg in re.findall(r"<svg.*?</svg>", source, re.S):
    assert re.match(r'<svg viewBox="[0-9 ]+" role="img" aria-labelledby=', svg) and "<title" in svg and "<desc" in svg
    assert "nan" not in re.sub(r">[^<]*<", "><", svg) and "inf" not in re.sub(r">[^<]*<", "><", svg)
for word in sys.argv[2:]:
    assert word in "".join(p.text), word
EOF2
check page__stands_alone_and_is_well_formed python3 page.py r.html

# ---- hostile names and labels are text ----
python3 - <<'EOF2'
import json
bad = ["<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "a & b\u202e\u2066right\u0007", "&lt;b&gt; \u00e9\u4e2d"]
schema = {bad[0]: {"type": "categorical", "values": bad}, bad[1]: {"type": "bool"}, bad[2]: 3,
          bad[3]: {"type": "int", "lower": 0, "upper": 500}}
json.dump(schema, open("bad.json", "w"))
import csv
with open("bad.csv", "w", newline="") as f:
    out = csv.writer(f)
    out.writerow(bad)
    for i in range(400):
        out.writerow([bad[i % 4], "true" if i % 3 else "", i % 3, i])
EOF2
nw-synth bad.csv --schema bad.json --epsilon 5 --delta 1e-9 -o out.csv --report bad.html --quiet
is hostile_names__exit_code $? 0
check hostile_names__are_text python3 page.py bad.html '<script>alert(1)</script>' '"'"'><img src=x onerror=alert(1)>" \
    '&lt;b&gt; é中' 'a & b??right?'

# ---- tables of one column, of many, of nothing ----
echo '{"x": 3}' >one.json
printf 'x\n0\n2\n2\n' >one.csv
nw-synth one.csv --schema one.json --epsilon 9 --delta 1e-3 -o out.csv --report one.html --quiet
is one_column__has_a_page "$? $(python3 page.py one.html >page.out 2>&1; echo $?) $(grep -c 'Pairs of columns</h2>' one.html)" \
    '0 0 0'
python3 -c 'import json; print(json.dumps({"column %d" % i: 2 for i in range(40)}))' >many.json
python3 -c 'for row in (["column %d" % i for i in range(40)], "1" * 40, "0" * 40): print(",".join(row))' >many.csv
nw-synth many.csv --schema many.json --epsilon 1 --delta 1e-9 --rows 100 -o out.csv --report many.html --quiet
is many_columns__have_a_page "$? $(python3 page.py many.html >page.out 2>&1; echo $?) $(grep -c 'fit worst' many.html)" '0 0 1'

# ---- --unsafe-compare ----
"${run[@]}" --unsafe-compare big.csv --manifest m.json --json >run.json 2>run.err
is unsafe__exit_code $? 0
like unsafe__says_so_on_stderr run.err '^nw-synth: NOT PRIVATE: r.html was compared with the real table$'
is unsafe__is_in_manifest_and_json "$(json m.json 'd["unsafe_compare"]') $(json run.json 'd["unsafe_compare"]')" 'big.csv big.csv'
is unsafe__is_the_first_thing_on_the_page "$(sed -n '/<main>/,/<h1>/p' r.html | grep -c 'class="alarm".*NOT PRIVATE.*big.csv')" 1
like unsafe__is_in_the_title r.html '<title>NOT PRIVATE'
nw-synth score big.csv synth.csv --schema big.json --query-count 1 --json >score.json
true_distances() {
    sed -n '/not private<\/h2>/,/<\/table>/p' r.html | grep -oE '<td>[0-9.]+</td>' | head -n 4 | grep -oE '[0-9.]+' | tr '\n' ' '
}
is unsafe__distances_are_those_of_the_score "$(true_distances)" \
    "$(json score.json \
        '" ".join("%.4f" % d["scores"][0][k][w] for k in ("tv1", "tv2") for w in ("average", "max"))') "
check unsafe__page_is_well_formed python3 page.py r.html
if oracle r.html m.nwm synth.csv big.csv >/dev/null 2>&1; then
    not_ok oracle__finds_true_figures 'the page with true distances passed'
else
    ok oracle__finds_true_figures
fi

# ---- refusals ----
new_ledger l.nwl 4
synth=(nw-synth table.csv "${privacy[@]}" --ledger l.nwl -o out.csv)
rm -f out.csv
refuses report_in_no_folder 73 'nowhere/r.html' "${synth[@]}" --report nowhere/r.html
refuses report_is_folder 73 'is a folder' "${synth[@]}" --report .
refuses report_on_stdout 64 '--report: .*regular file' "${synth[@]}" --report -
refuses report_over_the_table 64 '--report: is the same file' "${synth[@]}" --report table.csv
refuses report_over_the_output 64 '--report: is the same file' "${synth[@]}" --report out.csv
refuses manifest_over_the_report 64 '--manifest: is the same file' "${synth[@]}" --report x.html --manifest x.html
refuses compare_without_report 64 '--report: missing' "${synth[@]}" --unsafe-compare table.csv
refuses compare_with_nothing 66 'nothing.csv: No such file' "${synth[@]}" --report x.html --unsafe-compare nothing.csv
refuses compare_over_the_report 64 '--report: is the same file' "${synth[@]}" --report table.csv --unsafe-compare table.csv
(ulimit -f 16 && exec nw-synth table.csv "${privacy[@]}" --rows 50 -o out.csv --report big.html 2>run.err)
is file_too_large__exit_code $? 74
like file_too_large__says_what_is_there run.err 'the table out.csv was written all the same, and the budget stays spent'
is file_too_large__leaves_no_page "$(leftovers big.html)" ''
finish
