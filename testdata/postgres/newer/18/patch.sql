BEGIN;
DELETE FROM "public"."bag" WHERE "a" = 2 AND "b"::text = '' COLLATE "C" AND "f" = 'NaN' AND "j"::text = '{ "a":1}' COLLATE "C" AND "p" IS NULL;
DELETE FROM "public"."bookings" WHERE "room" = 1 AND "during" = '[2024-02-01,2024-03-01)';
DELETE FROM "public"."more" WHERE "part" = 2 AND "name" = '-- x';
DELETE FROM "public"."parts_rest" WHERE "d" = 'infinity' AND "id" = 3;
DELETE FROM "public"."refers" WHERE "id" = 1;
DELETE FROM "public"."bag" WHERE "a" IS NULL AND "b" IS NULL AND "f" IS NULL AND "j" IS NULL AND "p" IS NULL;
INSERT INTO "public"."bag" ("a", "b", "f", "j", "p") OVERRIDING SYSTEM VALUE VALUES (NULL, NULL, NULL, NULL, NULL);
INSERT INTO "public"."bag" ("a", "b", "f", "j", "p") OVERRIDING SYSTEM VALUE VALUES (NULL, NULL, NULL, NULL, NULL);
DELETE FROM "public"."bag" WHERE "a" = 1 AND "b"::text = 'x' COLLATE "C" AND "f" = '0.1' AND "j"::text = '{"a":1}' COLLATE "C" AND "p"::text = '(1,2)' COLLATE "C";
INSERT INTO "public"."bag" ("a", "b", "f", "j", "p") OVERRIDING SYSTEM VALUE VALUES (1, 'x', '0.1', '{"a":1}', '(1,2)');
INSERT INTO "public"."bag" ("a", "b", "f", "j", "p") OVERRIDING SYSTEM VALUE VALUES (2, '', 'NaN', '{"a": 2}', NULL);
INSERT INTO "public"."bookings" ("room", "during", "who") OVERRIDING SYSTEM VALUE VALUES (1, '[2024-02-10,2024-02-20)', 'd');
UPDATE "public"."bookings" SET "who" = 'c' WHERE "room" = 2 AND "during" = '[2024-01-01,)';
UPDATE "public"."checked" SET "a" = -2 WHERE "id" = 1;
INSERT INTO "public"."ids" ("id", "at", "n") OVERRIDING SYSTEM VALUE VALUES ('11111111-1111-1111-1111-111111111111', '1970-01-01 00:00:00+00', 1);
UPDATE "public"."ids" SET "at" = '2024-02-29 18:29:59.998+00', "n" = -5 WHERE "id" = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
UPDATE "public"."more" SET "ba" = E'{"\\\\x00ff",NULL}', "big" = -9223372036854775808, "bx" = '(1,1),(0,0)', "by" = E'\\x00', "cd" = '10.0.0.0/8', "ch" = 'c', "cr" = '<(0,0),1>', "dflt" = E'it''s ; \\ 
', "dm" = '0.0001', "f4" = '340000000000000000000000000000000000000', "f8" = '-0.5', "fa" = '{NaN,1e+100,-0}', "ir" = '[1,5)', "iv" = '00:00:01.5', "j" = '{"a": 1}', "jp" = '$."a"[*]?(@."x" > 1)', "ls" = '16/B374D848', "m8" = '08:00:2b:01:02:03:04:05', "ma" = '08:00:2b:01:02:03', "mon" = '-$1,234.56', "mr" = '{[2024-01-01,2024-02-01),[2025-01-01,)}', "n32" = 12300, "na" = '{1.50,NULL,NaN}', "ng" = 0.00012345, "nm" = 'n', "nr" = '(,1.50]', "o" = '4294967295', "pa" = E'{"(1,)","(,\\"\\")"}', "pg" = '((0,0),(1,1),(1,0))', "pr" = E'(1,"a,""b\\\\")', "pt" = '(1.5,-2)', "ser" = 1, "tq" = '''fat'' & ( ''rat'' | ''cat'' )', "tr" = '["2024-01-01 00:00:00+00",infinity]', "ts" = '''a'':1 ''fat'':2,4 ''it''''s'':3', "tt" = '10:11:12.123456+02', "vb" = '', "x" = '<a b="c;d">te&amp;xt</a>' WHERE "part" = 0 AND "name" = '';
UPDATE "public"."more" SET "ba" = NULL, "big" = 0, "bx" = NULL, "by" = E'\\xff', "cd" = '::/0', "ch" = 'z', "cr" = NULL, "dflt" = E'\\.
', "dm" = '1234567890.5000', "f4" = '0.1', "f8" = '0.1', "fa" = '{{1,2},{3,4}}', "ir" = NULL, "iv" = '11 mons 00:00:03.25', "j" = E'"\\u0001"', "jp" = '$', "ls" = '0/0', "m8" = NULL, "ma" = NULL, "mon" = '$5.00', "mr" = NULL, "n32" = -100, "na" = NULL, "ng" = 0, "nm" = 'a b"', "nr" = NULL, "o" = '1', "pa" = E'{"(3,\\"\\"\\"\\")"}', "pg" = NULL, "pr" = '(,)', "pt" = '(Infinity,NaN)', "ser" = 3, "tq" = NULL, "tr" = NULL, "ts" = NULL, "tt" = '00:00:00-15:59', "vb" = '1', "x" = '<b/>' WHERE "part" = 1 AND "name" = '''';
INSERT INTO "public"."more" ("part", "name", "ba", "big", "bx", "by", "cd", "ch", "cr", "dflt", "dm", "f4", "f8", "fa", "ir", "iv", "j", "jp", "ls", "m8", "ma", "mon", "mr", "n32", "na", "ng", "nm", "nr", "o", "pa", "pg", "pr", "pt", "ser", "tq", "tr", "ts", "tt", "vb", "x") OVERRIDING SYSTEM VALUE VALUES (5, E'new	\\', NULL, NULL, NULL, E'\\xdeadbeef', NULL, NULL, NULL, E'it''s ; \\ 
', NULL, NULL, NULL, NULL, '[3,4)', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 6, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO "public"."parts_a" ("d", "id", "v") OVERRIDING SYSTEM VALUE VALUES ('2024-02-29', 3, 'b');
UPDATE "public"."parts_rest" SET "v" = 'changed' WHERE "d" = '2000-01-01' AND "id" = 2;
INSERT INTO "public"."refers" ("id", "d", "p") OVERRIDING SYSTEM VALUE VALUES (2, '2024-02-29', 3);
UPDATE "public"."virtuals" SET "a" = 7, "t" = 'x' WHERE "id" = '00000000-0000-7000-8000-000000000001';
INSERT INTO "public"."virtuals" ("id", "a", "t") OVERRIDING SYSTEM VALUE VALUES ('00000000-0000-7000-8000-000000000003', 3, '');
COMMIT;
