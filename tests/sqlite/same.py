"""Checks that two databases hold the same rows, value for value and class for class: A.db B.db."""
import sqlite3, sys
quoted = lambda name: '"' + name.replace('"', '""') + '"'
def rows(path):
    db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
    db.text_factory = bytes
    found = {}
    names = [n.decode() for (n,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
    for name in names:
        found[name] = sorted([(type(v).__name__, v if v is not None else 0) for v in row] for row in db.execute("SELECT * FROM " + quoted(name)))
    return found
a, b = map(rows, sys.argv[1:])
for name in sorted(a.keys() | b.keys()):
    left, right = a.get(name), b.get(name)
    if left != right:
        sys.exit("%s: only left %r, only right %r" % (name, [r for r in left if r not in right][:3], [r for r in right if r not in left][:3]))
