"""Makes the cases in this folder: python3 make.py. Python's csv module writes and reads the texts; rows.jsonl holds what
its reader finds, as `mdiff cat --json` prints it, sorted by the encoded key."""

import csv
import json
import os
import random

random.seed(20260101)
TEXTS = ["", "a", "plain text", "comma, inside", 'say "hi"', "two\nlines", "two\r\nlines", " space ", "\u00fcml\u00e4ut", "\t", ";", "NULL", "'", '"', "0"]


def table(rows):
    names = ["tenant", "id", "name", "note", "amount"]
    return names, [
        ["t%d" % (i % 3), "%04d" % i, random.choice(TEXTS), random.choice(TEXTS), str(random.randrange(10**6) / 100)]
        for i in range(rows)
    ]


def case(name, file, key, names, rows, shuffled=False, bom=False, header=True, **dialect):
    os.makedirs(name, exist_ok=True)
    if shuffled:
        random.shuffle(rows)
    else:
        rows.sort(key=lambda row: [row[names.index(k)] for k in key])
    with open(os.path.join(name, file), "w", newline="", encoding="utf-8-sig" if bom else "utf-8") as out:
        writer = csv.writer(out, **dialect)
        if header:
            writer.writerow(names)
        writer.writerows(rows)
    with open(os.path.join(name, file), newline="", encoding="utf-8-sig") as text:
        reader = csv.reader(text, strict=True, **dialect)
        header_names = next(reader) if header else [str(i + 1) for i in range(len(names))]
        key = key if header else [str(names.index(k) + 1) for k in key]
        found = [dict(zip(header_names, row)) for row in reader]
    found.sort(key=lambda row: [row[k].encode() for k in key])
    with open(os.path.join(name, "rows.jsonl"), "w") as out:
        for row in found:
            value = {n: row[n] for n in sorted(row) if n not in key}
            json.dump({"key": {k: row[k] for k in key}, "value": value}, out, ensure_ascii=False)
            out.write("\n")
    with open(os.path.join(name, "options.json"), "w") as out:
        json.dump({"file": file, "key": key, "no_header": not header, "delimiter": dialect.get("delimiter")}, out)
        out.write("\n")


case("excel", "rows.csv", ["id"], *table(200))
case("excel_shuffled", "rows.csv", ["tenant", "id"], *table(200), shuffled=True)
case("unix_all_quoted", "rows.csv", ["tenant", "id"], *table(200), dialect="unix")
case("tabs", "rows.tsv", ["id"], *table(100), delimiter="\t", lineterminator="\n")
case("semicolons_bom", "rows.txt", ["id"], *table(100), delimiter=";", bom=True)
case("no_header", "rows.csv", ["id"], *table(100), header=False)
case("no_rows", "rows.csv", ["id"], *table(0))
