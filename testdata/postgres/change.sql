DELETE FROM kinds WHERE id IN (3, 50);
UPDATE kinds SET t = E'other\\\n''', by = '\x00ff', ta = ARRAY['\"'] WHERE id = 7;
UPDATE kinds SET f8 = 'NaN', n = -0.00001, b = NULL WHERE id = 9;
INSERT INTO kinds (i2, t, v, f4) VALUES (5, '', NULL, 0.1);
UPDATE "we.ird"."Ta""b;le -- x" SET "select" = E'\\.' WHERE "Üml" = 4;
DELETE FROM "we.ird"."Ta""b;le -- x" WHERE "Üml" = 5;
INSERT INTO "we.ird"."Ta""b;le -- x" VALUES ('new', E'\\''', NULL, NULL);
INSERT INTO child VALUES (9, 'new', 'y'); DELETE FROM meas WHERE city = 7; UPDATE meas SET v = 1e-7 WHERE city = 29;
INSERT INTO empty_table VALUES (1); UPDATE typed SET b = NULL;
