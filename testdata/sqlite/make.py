import json, os, shutil, sqlite3, tempfile
out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pair")
scratch = tempfile.mkdtemp()
def enc(v):
    return {"hex": v.hex()} if isinstance(v, bytes) else v
def make(path, side):
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("pragma page_size=512")
    if side == "b":
        db.execute("pragma journal_mode=wal")
        db.execute("pragma wal_autocheckpoint=0")
    db.execute("create table accounts(id integer primary key, name text not null, note text, data blob, balance real, ok integer, any_ )")
    db.execute('create table "odd ""name"(tenant text, "the key" blob, v, primary key(tenant, "the key")) without rowid')
    db.execute("create table keyless(a, b text)")
    db.execute("begin")
    for i in range(40):
        if side == "b" and i in (3, 17):
            continue
        n = i * 37 - 500
        name = "name %d" % i
        if side == "b" and i in (5, 30):
            name += " changed"
        db.execute("insert into accounts values(?,?,?,?,?,?,?)", (n, name, [None, "", "it's", "tab\tline\n", "nul\0nul"][i % 5], [None, b"", b"\0\xff", bytes(range(9))][i % 4], [0.5, 1.0, -1e300, 0.1][i % 4], i % 2, [1, 1.0, "1", b"1", None][i % 5]))
    for t in ("", "a", "a\0b", "ä"):
        for k in (b"", b"\0", b"\x01\xff", b"k"):
            db.execute('insert into "odd ""name" values(?,?,?)', (t, k, len(t) * 1.5))
    if side == "b":
        db.execute('insert into "odd ""name" values(?,?,?)', ("only", b"b", "here"))
    db.execute("insert into keyless values(1, 'one'), (2, 'two')")
    db.execute("commit")
    for table, key in (("accounts", "id"), ('"odd ""name"', 'tenant, "the key"'), ("keyless", "rowid")):
        name = table.strip('"').replace('""', '"').replace(' "', "-").replace('"', "")
        with open(os.path.join(out, "%s.%s.jsonl" % (side, name)), "w") as f:
            for row in db.execute("select * from %s order by %s" % (table, key)):
                f.write(json.dumps([enc(v) for v in row]) + "\n")
    if side == "b":
        for end in ("", "-wal"):
            shutil.copy(path + end, os.path.join(out, "b.db" + end))
    db.close()
    if side == "a":
        shutil.copy(path, os.path.join(out, "a.db"))
make(os.path.join(scratch, "a.db"), "a")
make(os.path.join(scratch, "b.db"), "b")
