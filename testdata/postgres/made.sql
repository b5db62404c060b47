CREATE SCHEMA "we.ird";
CREATE TYPE mood AS ENUM ('sad','it''s; "fine"');
CREATE TABLE kinds (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  i2 smallint, n numeric, n2 numeric(20,5), f4 real, f8 double precision, b boolean,
  t text, v varchar(30) DEFAULT 'a;''b', c char(5), by bytea, ts timestamp, tz timestamptz, d date, tm time,
  u uuid, j json, jb jsonb, ia integer[], ta text[], m mood, ip inet, bi bit(5), iv interval,
  gen integer GENERATED ALWAYS AS (i2 * 2) STORED
);
INSERT INTO kinds (i2,n,n2,f4,f8,b,t,v,c,by,ts,tz,d,tm,u,j,jb,ia,ta,m,ip,bi,iv)
SELECT g%100, (g::numeric/7), g*1.50, g/3.0, g*0.1::float8, g%2=0, E'te\\xt\t'||g||E'\n;''"--/*', 'v'||g, 'c'||g, decode(md5(g::text),'hex'),
 timestamp '2024-01-01' + g*interval '1 hour 3.5 seconds', timestamptz '2024-01-01 00:00:00+00' + g*interval '1 day', date '2024-01-01'+g, time '10:00',
 md5(g::text)::uuid, ('{"a": '||g||', "a":  2}')::json, ('{"b":1,"a":'||g||'}')::jsonb, ARRAY[g,NULL,g+1], ARRAY['a,b"c\',NULL,'','NULL'], 'it''s; "fine"', '10.0.0.1', B'10101', g*interval '1 day 2 hours'
FROM generate_series(1,60) g;
INSERT INTO kinds (n,f4,f8) VALUES ('NaN','NaN','Infinity'),('Infinity','-Infinity','-0'),('1e30',1e-30,1e300),(0.000,1.17549435e-38,2.2250738585072014e-308);
INSERT INTO kinds (ts, d, tz) VALUES ('0044-03-15 01:02:03.000004 BC','4713-01-01 BC','12000-01-01 00:00:00+00'),('infinity','-infinity','-infinity');
CREATE TABLE "we.ird"."Ta""b;le -- x" ("k;1" text, "K 2" text, "select" text, "Üml" integer, PRIMARY KEY ("K 2", "k;1"));
INSERT INTO "we.ird"."Ta""b;le -- x" SELECT 'k'||g, E'\\.\n'||g, 'INSERT INTO x VALUES (1);', g FROM generate_series(1,20) g;
INSERT INTO "we.ird"."Ta""b;le -- x" VALUES (E'\\.', E'\\N', E'\\.\n\\.\n', 1), ('', '', '', NULL), (E'\r\n', E'\t', E'a\rb\x01\x7f', 2);
CREATE TABLE parent (id int PRIMARY KEY, a text);
CREATE TABLE child (b text, PRIMARY KEY (id)) INHERITS (parent);
INSERT INTO parent VALUES (1,'p'); INSERT INTO child VALUES (2,'c','x'),(3,'d',NULL);
CREATE TABLE meas (city int, day date, v float8, PRIMARY KEY (city, day)) PARTITION BY RANGE (day);
CREATE TABLE meas1 PARTITION OF meas FOR VALUES FROM ('2024-01-01') TO ('2024-06-01');
CREATE TABLE meas2 PARTITION OF meas FOR VALUES FROM ('2024-06-01') TO ('2025-01-01');
INSERT INTO meas SELECT g, date '2024-01-01'+g*9, g/7.0 FROM generate_series(1,30) g;
CREATE TABLE empty_table (id int PRIMARY KEY);
CREATE UNLOGGED TABLE unl (id uuid PRIMARY KEY, exclude text, "primary" text); INSERT INTO unl SELECT md5(g::text)::uuid, 'e', 'p' FROM generate_series(1,5) g;
CREATE TYPE ct AS (a int, b text); CREATE TABLE typed OF ct (PRIMARY KEY (a)); INSERT INTO typed VALUES (1,'x');
CREATE MATERIALIZED VIEW mv AS SELECT count(*) FROM parent;
CREATE SEQUENCE sq; SELECT nextval('sq');
SELECT lo_from_bytea(0, 'large; object');
CREATE FUNCTION f1() RETURNS int LANGUAGE plpgsql AS $body$ BEGIN -- COPY x FROM stdin;
 /* ' */ RETURN 1; END $body$;
CREATE FUNCTION f2(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN a > 1 THEN 1 ELSE 2 END; SELECT a + 1; END;
CREATE RULE r1 AS ON DELETE TO unl DO INSTEAD (SELECT 1; SELECT 2);
COMMENT ON TABLE parent IS E'a ; comment\nCOPY parent (id, a) FROM stdin;\n1\tx\n\\.\n';
ALTER TABLE parent ADD CONSTRAINT ck CHECK (a <> ');');
