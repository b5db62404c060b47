# What the server says it holds: python3 expected.py DATABASE > expected.jsonl (a client `mysql` that reaches the server is wanted)
import json, subprocess, sys
from decimal import Decimal
db = sys.argv[1]
CLIENT = ['mysql', '--no-defaults', '-uroot', '--default-character-set=utf8mb4', '-N', '-B']
def ask(sql):
    out = subprocess.run(CLIENT + [db], input=("SET time_zone='+00:00'; " + sql).encode(), capture_output=True, check=True).stdout.decode()
    return [line.split('\t') for line in out.splitlines()]
def number(text):
    d = Decimal(text)
    if not d: return '0'
    s = format(d, 'f')
    if '.' in s: s = s.rstrip('0').rstrip('.')
    return s if -41 < d.adjusted() < 60 else str(d.normalize()).lower().replace('e+', 'e')
lit = lambda hexed: "X'%s'" % hexed
name = lambda hexed: '`' + bytes.fromhex(hexed).decode().replace('`', '``') + '`'
for (table,) in ask("SELECT HEX(table_name) FROM information_schema.tables WHERE table_schema=DATABASE() AND table_type='BASE TABLE' ORDER BY table_name"):
    columns = ask(f"SELECT HEX(column_name), data_type FROM information_schema.columns WHERE table_schema=DATABASE() AND table_name=CONVERT({lit(table)} USING utf8mb4) AND generation_expression='' ORDER BY ordinal_position")
    def expr(column, kind):
        c = name(column)
        if kind == 'bit': return f"{c}+0"
        if kind in ('tinyint','smallint','mediumint','int','bigint','decimal','float','double','year'): return c
        if kind in ('binary','varbinary','tinyblob','blob','mediumblob','longblob','geometry','point','vector','linestring','geomcollection'): return f"HEX({c})"
        if kind in ('date','datetime','timestamp','time'): return f"HEX(CAST({c} AS CHAR))"
        return f"HEX(CONVERT({c} USING utf8mb4))"
    for row in ask("SELECT %s FROM %s" % (', '.join(expr(*c) for c in columns), name(table))):
        fields = {}
        for (column, kind), text in zip(columns, row):
            key = bytes.fromhex(column).decode()
            if text == 'NULL': fields[key] = None
            elif kind in ('bit','tinyint','smallint','mediumint','int','bigint','decimal','float','double','year'): fields[key] = number(text).encode().hex()
            else: fields[key] = text.lower()
        print(json.dumps({'table': bytes.fromhex(table).decode(), 'row': fields}, ensure_ascii=False))
