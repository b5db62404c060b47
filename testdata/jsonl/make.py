"""Writes the texts of this folder: one table, spelled in several ways, and what Python's json module reads in it."""

import json

DOCUMENTS = [
    {"id": 1, "name": "Ann", "tags": ["x", "y"], "score": 1.5},
    {"id": "1", "name": None, "address": {"city": "K\u00f6ln", "zip": "01234"}},
    {"id": 2, "name": "true", "score": 100, "big": 123456789012345678901234567890},
    {"id": 10, "name": "\U0001f600 \"q\" \\ \n", "empty": {}, "none": []},
    {"id": -3, "nested": [[1, {"b": 1, "a": None}], False], "score": 0},
]


def write(name, text, newline="\n"):
    with open(name, "w", encoding="utf-8", newline=newline) as file:
        file.write(text)


lines = [json.dumps(d) for d in DOCUMENTS]
write("plain.jsonl", "\n".join(lines) + "\n")
# The same: other order of rows and fields, raw instead of escaped characters, blank lines, a byte order mark, no last line end.
turned = [dict(reversed(list(d.items()))) for d in reversed(DOCUMENTS)]
write("turned.ndjson", "\ufeff" + "\n\n".join(json.dumps(d, ensure_ascii=False) for d in turned), "\r\n")
write("pretty.json", json.dumps(turned, indent=4))
write("array.json", json.dumps(DOCUMENTS, separators=(",", ":")))
# Numbers respelled.
respelled = "".join(lines).replace("1.5", "15e-1").replace("100", "1.0E+2").replace(": 0}", ": -0.00}")
write("concatenated.json", respelled.replace('"id": 10', '"id": 1e1'))
changed = json.loads(json.dumps(DOCUMENTS))
changed[0]["score"] = "1.5"
changed[1].pop("name")
changed[2]["score"] = 1e2 + 1
changed.pop(3)
changed.append({"id": "new"})
write("changed.jsonl", "".join(json.dumps(d) + "\n" for d in changed))
