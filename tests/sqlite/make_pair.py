"""Makes two databases that differ here and there, out of a seed: SEED A.db B.db. Prints nothing."""
import random, sqlite3, struct, sys
seed, paths = int(sys.argv[1]), sys.argv[2:]
random.seed(seed)
pick = random.choice
quoted = lambda name: '"' + name.replace('"', '""') + '"'
TYPES = ["", "INTEGER", "TEXT", "BLOB", "REAL", "NUMERIC", "varchar(9)", "double", "decimal(9,2)", "date"]
NAMES = ["plain", 'quo"te', "semi;colon", "new\nline", "sp ace", "ключ", "select", "it's", "per%cent", "-- c"]
EDGES = [-2**63, 2**63 - 1, 2**53 + 1, 0, -1, 10**15]
REALS = [0.1, -2.5, 1e300, -1e-300, 5e-324, 1.0, 2.0**60, float("inf"), float("-inf"), 123456.789]
TEXTS = ["", "a", "A", "it's", "x\0y", "\0", "line\nline", "tab\t", "\r\n", "é€😀", "1", "1.0", "1e3", ".quit", "; drop", "\\", '"', "\ue000", "NULL", " 1 "]
BLOBS = [b"", b"\0", b"\0b", b"\xff\xfe", b"text", bytes(range(40))]
def value():
    return pick([None, pick(EDGES), random.randrange(-50, 50), pick(REALS), round(random.uniform(-9, 9), 3), random.uniform(-9, 9), struct.unpack('d', random.randbytes(8))[0], pick(TEXTS), pick(TEXTS) + str(random.randrange(99)), pick(BLOBS)])
def not_null():
    while True:
        found = value()
        if found is not None:
            return found
tables = []
for index in range(random.randrange(1, 4)):
    columns = [(name, pick(TYPES)) for name in random.sample(NAMES, random.randrange(2, 7))]
    keys = random.sample(columns, random.randrange(1, min(3, len(columns)) + 1))
    kind = pick(["rowid", "without", "integer", "nocase", "keyless", "keyless nocase"])
    name = pick(NAMES) + str(index)
    if kind == "integer":
        columns = [(columns[0][0], "INTEGER PRIMARY KEY")] + columns[1:]
        keys = columns[:1]
    if "keyless" in kind:
        keys = []
    lines = [quoted(n) + " " + t + (" COLLATE NOCASE" if "nocase" in kind else "") for n, t in columns]
    if keys and kind != "integer":
        lines.append("PRIMARY KEY(" + ", ".join(quoted(n) for n, _ in keys) + ")")
    if random.random() < 0.3 and kind != "integer":
        lines.insert(len(columns), quoted("made") + " AS (typeof(" + quoted(columns[-1][0]) + ")) " + pick(["STORED", "VIRTUAL"]))
    create = "CREATE TABLE " + quoted(name) + "(" + ", ".join(lines) + ")" + (" WITHOUT ROWID" if kind == "without" else "")
    def row():
        return [random.randrange(-2**62, 2**62) if kind == "integer" and c in keys else not_null() if c in keys else value() for c in columns]
    rows = [row() for _ in range(pick([0, 1, 20, 200]))]
    if not keys:
        rows += [list(pick(rows)) for _ in range(random.randrange(30)) if rows]
    other = []
    for r in rows:
        luck = random.random()
        if luck < 0.1:
            continue
        other.append([v if c in keys or luck > 0.2 else value() for v, c in zip(r, columns)])
    other += [row() for _ in range(random.randrange(9))]
    if not keys:
        other += [list(pick(rows)) for _ in range(random.randrange(9)) if rows]
    random.shuffle(other)
    tables.append((name, create, columns, rows, other))
encoding, page = pick(["UTF-8", "UTF-8", "UTF-16le"]), pick([512, 4096])
for side, path in enumerate(paths):
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA encoding = '%s'" % encoding)
    db.execute("PRAGMA page_size = %d" % page)
    for name, create, columns, rows, other in tables:
        db.execute(create)
        names = ", ".join(quoted(n) for n, _ in columns)
        marks = ", ".join("?" for _ in columns)
        db.execute("BEGIN")
        for r in (rows, other)[side]:
            try:
                db.execute("INSERT OR IGNORE INTO %s(%s) VALUES(%s)" % (quoted(name), names, marks), r)
            except sqlite3.IntegrityError:
                pass  # a rowid is an integer
        db.execute("COMMIT")
    db.close()
