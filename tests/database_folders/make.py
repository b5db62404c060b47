"""Makes folders by the real software, from seeds, with the rows that it finds in them.

    make.py pairs OUT SEED...     for each seed OUT/SEED/{a,b}/db: two folders whose rows differ a little or not at all
    make.py scan PATH...          prints the rows of RocksDB folders with plain families, read from a copy of each
    make.py many OUT TABLES       one folder of so many small tables, compaction off
    make.py engines               says what can be made here

Beside each db lie rows.jsonl ({"t": family, "k": hex, "v": hex} or "c": [[name, value]...] as hex) and about.json.
"""

import json
import os
import random as randoms
import shutil
import sys
import tempfile

import level
import rocks78
import rocks98
from history import History, change, rebuild

ENGINES = [engine for engine in (rocks78, rocks98, level) if not engine.MISSING]


def traits(random, engine):
    """The column families of a database."""
    families = {"default": {}}
    if engine is level:
        return families
    for name in ["side", "gr\u00f6\u00dfe", "users", "empty"]:
        if random.random() < 0.4:
            families[name] = {}
    if "reverse" in engine.HAS and random.random() < 0.3:
        families["reversed"] = {"reverse": True}
    if "merge" in engine.HAS and random.random() < 0.5:
        families["counters"] = {"merge": "add"}
    if "merge" in engine.HAS and random.random() < 0.5:
        families["joined"] = {"merge": random.choice(["|", ",", "::"])}
    if "entities" in engine.HAS and random.random() < 0.5:
        families["wide"] = {"entities": True}
    for family in families.values():
        if "blob" in engine.HAS and random.random() < 0.25:
            family["blob"] = True
    return families


def fit(families, engine):
    """The families as another engine can hold the same rows."""
    can = {"merge", "reverse", "blob"} & engine.HAS
    return {name: {k: v for k, v in family.items() if k in can or k == "entities"} for name, family in families.items()}


def rows_of(engine, folder, families, db_options, two_phase):
    """What the software itself finds in a copy of the folder."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = os.path.join(scratch, "db")
        shutil.copytree(folder, copy)
        return engine.scan(copy, families, db_options, two_phase)


def write_rows(path, rows):
    with open(path, "w") as out:
        for name, key, (kind, content) in rows:
            line = {"t": name, "k": key.hex()}
            if kind == "value":
                line["v"] = content.hex()
            else:
                line["c"] = [[column.hex(), value.hex()] for column, value in content]
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


def make_side(random, out, engine, families, two_phase, tall, write):
    """Makes OUT/db with an open database driven by `write`. Returns its rows."""
    os.makedirs(out)
    db_options = engine.mix_db(random)
    text = {name: engine.mix(random, family, tall) for name, family in families.items()}
    live = os.path.join(out, "live")
    db = engine.Db(live, text, db_options, two_phase)
    write(db, text)
    db.settle()
    levels = db.levels()
    db.copy(os.path.join(out, "db"))
    text = {name: text[name] for name in getattr(db, "families", text)}
    # A live database is left as if killed: closing it could only write what the copy does not have.
    for other in os.listdir(os.path.join(out, "db")):
        if other.startswith("LOG"):
            os.remove(os.path.join(out, "db", other))
    rows = rows_of(engine, os.path.join(out, "db"), text, db_options, two_phase)
    write_rows(os.path.join(out, "rows.jsonl"), rows)
    # ldb 7.8 can open it, and a table in bytewise order can be taken in.
    heals = engine is rocks78 and not two_phase and not any(family.get("reverse") for family in families.values())
    about = {
        "engine": engine.NAME,
        "levels": levels,
        "families": families,
        "options": {"db": db_options, **text},
        "two_phase": two_phase,
        "heals": heals,
        "rows": len(rows),
    }
    with open(os.path.join(out, "about.json"), "w") as file:
        json.dump(about, file, indent=1, ensure_ascii=False, default=str)
    return rows, about


def pair(out, seed):
    random = randoms.Random(seed)
    engine = ENGINES[seed % len(ENGINES)]
    families = traits(random, engine)
    two_phase = "two_phase" in engine.HAS and random.random() < 0.3
    tall = not two_phase and random.random() < 0.25
    first = dict(families)
    if two_phase:  # A database of transactions takes no blob files' detours here: fewer mixes, each certain.
        first = {name: {k: v for k, v in family.items() if k != "blob"} for name, family in families.items()}

    def drive(db, text):
        history = History(random, db, engine, dict(first), os.path.join(out, "ingest"), two_phase, tall)
        drops = "drop" in engine.HAS and not two_phase and random.random() < 0.3
        if drops:
            db.create_family("dropped", text["default"])
            db.write([("put", "dropped", b"user/%05d" % n, b"never seen") for n in range(30)])
        history.run(1200 if tall else random.choice([10, 100, 300, 600]))
        if drops:
            db.drop_family("dropped")
            history.run(20)

    os.makedirs(out)
    rows, about_a = make_side(random, os.path.join(out, "a"), engine, first, two_phase, tall, drive)
    wide = any(kind == "columns" for _, _, (kind, _) in rows)
    others = [e for e in ENGINES if (not wide or "entities" in e.HAS) and (e is not level or list(families) == ["default"])]
    other = random.choice(others)
    fitted = fit(families, other)
    target = change(random, rows, families)
    _, about_b = make_side(random, os.path.join(out, "b"), other, fitted, False, tall, lambda db, text: rebuild(random, db, fitted, target))
    print(json.dumps({"seed": seed, "a": about_a["engine"], "b": about_b["engine"], "levels": [about_a["levels"], about_b["levels"]], "rows": [about_a["rows"], about_b["rows"]]}))


def many(out, tables):
    """So many tables at level 0, written by flushing after every few rows."""
    engine = ENGINES[0]
    assert engine is not level, "no RocksDB here"
    random = randoms.Random(tables)
    if engine is rocks78:
        text = "disable_auto_compactions=true;level0_slowdown_writes_trigger=1000000;level0_stop_writes_trigger=1000000;"
        db_options = "create_if_missing=true;keep_log_file_num=1;max_open_files=100;"
    else:
        text = {"disable_auto_compactions": True, "level_zero_slowdown_writes_trigger": 10**6, "level_zero_stop_writes_trigger": 10**6}
        db_options = {"max_open_files": 100}
    os.makedirs(out)
    db = engine.Db(os.path.join(out, "db"), {"default": text}, db_options)
    model = {}
    for n in range(tables):
        ops = []
        for _ in range(3):
            key = b"key %06d" % random.randrange(2 * tables)
            if random.random() < 0.2:
                model.pop(key, None)
                ops.append(("delete", "default", key))
            else:
                model[key] = b"value of %d" % n
                ops.append(("put", "default", key, model[key]))
        db.write(ops)
        db.flush("default")
    db.close()
    write_rows(os.path.join(out, "rows.jsonl"), [("default", key, ("value", model[key])) for key in sorted(model)])


def scan(paths):
    """Rows by RocksDB 7.8 of folders whose families need no options of their own; one line for each folder."""
    for path in paths:
        names = sorted(os.environ.get("FAMILIES", "default").split(","))
        try:
            rows = rows_of(rocks78, path, {name: "" for name in names}, "", False)
            print(json.dumps([[name, key.hex(), what[1].hex()] for name, key, what in rows]))
        except RuntimeError as error:
            print(json.dumps({"error": str(error)}))


def main():
    what, *args = sys.argv[1:]
    for engine in (rocks78, rocks98, level):
        if engine.MISSING:
            print(f"missing: {engine.MISSING}", file=sys.stderr)
    if what == "engines":
        print("\n".join(engine.NAME for engine in ENGINES))
    elif not ENGINES:
        sys.exit(77)
    elif what == "pairs":
        for seed in args[1:]:
            pair(os.path.join(args[0], seed), int(seed))
    elif what == "many":
        many(args[0], int(args[1]))
    elif what == "scan":
        scan(args)
    sys.stdout.flush()
    # Live databases are not closed: as if killed.
    os._exit(0)


main()
