"""Runs the statements of a patch on the base's rows in SQLite, and compares with the target's: BASE.jsonl TARGET.jsonl SQL."""
import json, sqlite3, sys
base, target, statements = sys.argv[1:]
def field(value):
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"])
    if value is not None and "\0" in value:
        return value.encode()
    return value
def rows(path):
    with open(path, encoding="utf-8", newline="\n") as lines:
        for line in lines:
            row = json.loads(line)
            both = list(row["key"].items()) + list(row["value"].items())
            yield [name for name, _ in both], [field(value) for _, value in both]
quoted = lambda name: '"' + name.replace('"', '""') + '"'
db = sqlite3.connect(":memory:")
names = next(iter(rows(base)), None) or next(iter(rows(target)), None)
if names is None:
    sys.exit(0)
names = names[0]
columns = ", ".join(map(quoted, names))
db.execute('CREATE TABLE "default" (' + columns + ")")
marks = ", ".join("?" for _ in names)
db.executemany('INSERT INTO "default" VALUES (' + marks + ")", (row for _, row in rows(base)))
db.executescript(open(statements, encoding="utf-8", newline="").read())
order = lambda row: [(value is not None, isinstance(value, bytes), value) for value in row]
got = sorted(([*row] for row in db.execute("SELECT " + columns + ' FROM "default"')), key=order)
want = sorted((row for _, row in rows(target)), key=order)
if got != want:
    sys.exit("got %r\nwant %r" % ([r for r in got if r not in want][:3], [r for r in want if r not in got][:3]))
