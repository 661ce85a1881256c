#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
"""What the documents point at exists: links of Markdown files, the places that comments name, the papers that they cite; and C
code in the README and the tutorial is part of an example, which the tests compile and run."""
import re
from check import project_files, read, run

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
C_BLOCK = re.compile(r"^```c\n(.*?)^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
ANCHOR = re.compile(r'<a (?:id|name)="([^"]+)"')
# In comments: "docs/rooms/table.md#schema", "examples/noise.c", "tests/unit/random/test_rng.c"
PLACE = re.compile(r"(?<![\w/.-])((?:docs|examples|tests/unit|tests/stat)/[\w/.-]*\w\.(?:md|c|bib))(#[\w-]+)?")
CITATION = re.compile(r"\[([A-Z][A-Za-z]+\d{2}[a-z]?)(?:[,;\]][^\]\n]*)?")
KEY = re.compile(r"^@\w+\{(\w+),", re.MULTILINE)


def slug(heading):
    """The anchor that a heading gets: lower case, punctuation dropped, blanks to hyphens."""
    heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


def anchors(path):
    text = read(path)
    return {slug(h) for h in HEADING.findall(FENCE.sub("", text))} | set(ANCHOR.findall(text))


def missing(target, anchor):
    """What is wrong with a pointer to `anchor` ('' for none) of the file `target`, or None."""
    if not target.exists():
        return "no such file"
    if anchor and target.suffix == ".md" and anchor not in anchors(target):
        return f"no heading #{anchor}"
    return None


def check_links(root, path):
    for link in LINK.findall(FENCE.sub("", read(path))):
        if re.match(r"[a-z]+:", link):
            continue  # another site: not our business, and tests use no network
        file, _, anchor = link.partition("#")
        problem = missing(path.parent / file if file else path, anchor)
        if problem:
            yield f"{path.relative_to(root)}: {link}: {problem}"


def check_places(root, path):
    for file, anchor in set(PLACE.findall(read(path))):
        problem = missing(root / file, anchor[1:])
        if problem:
            yield f"{path.relative_to(root)}: {file}{anchor}: {problem}"


def check_code(root, path):
    examples = [read(p) for p in project_files(root, (".c",), ("examples",))]
    for block in C_BLOCK.findall(read(path)):
        if not any(block in example for example in examples):
            yield f"{path.relative_to(root)}: the code that begins with '{block.splitlines()[0]}' is in no example"


def check(root):
    found = []
    bibliography = root / "docs/references.bib"
    keys = set(KEY.findall(read(bibliography))) if bibliography.exists() else set()
    documents = project_files(root, (".md",))
    sources = project_files(root, (".h", ".c"), ("include", "lib", "accountant", "mechanisms", "apps", "examples"))
    for path in documents:
        found += check_links(root, path)
        if path.name in ("README.md", "tutorial.md"):
            found += check_code(root, path)
    for path in sources:
        found += check_places(root, path)
    for path in documents + sources:
        cited = set(CITATION.findall(read(path)))
        found += [f"{path.relative_to(root)}: [{key}] is not in docs/references.bib" for key in sorted(cited - keys)]
    return found


CLEAN = {
    "README.md": "# Noise\nSee [style](docs/style.md#our-rules) and [above](#noise), [CKS20].\n```c\nint a;\n```\n",
    "docs/style.md": "# Our rules!\n",
    "docs/references.bib": "@inproceedings{CKS20,\n}\n",
    "include/nw/a.h": "/* Source [CKS20, Alg. 1]. Example docs/style.md#our-rules; examples/a.c */\n",
    "examples/a.c": "int a;\nint b;\n",
}
FAULTS = {
    "dead_link": {"docs/a.md": "[x](nothing.md)\n"},
    "dead_anchor": {"docs/a.md": "[x](style.md#their-rules)\n"},
    "dead_example": {"include/nw/b.h": "/* Example examples/b.c */\n"},
    "dead_place": {"lib/b.c": "/* see docs/style.md#nothing */\n"},
    "code_of_no_example": {"docs/tutorial.md": "```c\nint c;\n```\n"},
    "unknown_paper": {"lib/b.c": "/* [XYZ99, Thm 3] */\n"},
}

if __name__ == "__main__":
    run("check_docs", check, CLEAN, FAULTS)
