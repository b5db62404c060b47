import json, subprocess, sys
from decimal import Decimal
db = sys.argv[1]
def q(sql):
    out = subprocess.run(['psql','-XqAt','-d',db,'-c',sql],capture_output=True,text=True,check=True).stdout
    return [json.loads(l) for l in out.splitlines()]
def number(text):
    if text in ('NaN','Infinity','-Infinity'): return text
    d = Decimal(text)
    sign, digits, exp = d.as_tuple()
    s = ''.join(map(str,digits)).lstrip('0'); 
    if not s: return '0'
    t = s.rstrip('0'); exp += len(s)-len(t); point = len(t)+exp
    m = '-' if sign else ''
    if point > len(t)+40 or point < -40:
        return m + t[0] + ('.'+t[1:] if len(t)>1 else '') + 'e%d' % (point-1)
    if point <= 0: return m+'0.'+'0'*-point+t
    if point >= len(t): return m+t+'0'*(point-len(t))
    return m+t[:point]+'.'+t[point:]
NUM = {'bigint','integer','smallint','numeric','real','double precision'}
tables = q("select json_build_object('s',table_schema,'t',table_name) from information_schema.tables where table_schema not in ('pg_catalog','information_schema') and table_type='BASE TABLE' order by 1::text")
part = {r['n'] for r in q("select json_build_object('n',relname) from pg_class where relkind='p'")}
for t in tables:
    if t['t'] in part: continue
    cols = q("select json_build_object('c',column_name,'d',case when domain_name is null then data_type else 'domain' end) from information_schema.columns where table_schema=%s and table_name=%s and is_generated='NEVER'" % tuple("'%s'" % x.replace("'","''") for x in (t['s'],t['t'])))
    ident = lambda n: '"%s"' % n.replace('"','""')
    lit = lambda n: "'%s'" % n.replace("'","''")
    pairs = ','.join("%s, case when %s::text is null then null else format('%%s', %s) end" % (lit(c['c']),ident(c['c']),ident(c['c'])) for c in cols)
    kinds = {c['c']: c['d'] for c in cols}
    rows = q("select json_build_object(%s) from only %s.%s" % (pairs, ident(t['s']), ident(t['t'])))
    for r in rows:
        for c in r:
            if r[c] is not None and kinds[c] in NUM: r[c] = number(r[c])
        part_name = lambda n: '"%s"' % n.replace('"','""') if '.' in n else n
        print(json.dumps({'table': part_name(t['s'])+'.'+part_name(t['t']), 'row': r}, ensure_ascii=False))
