UPDATE more SET f8 = -0.5, j = '{"a": 1}', by = '\x00' WHERE name = '' ;
UPDATE more SET dflt = E'\\.\n', ch = 'z', pa = ARRAY[ROW(3,'"')::pair], x = '<b/>', mon = 5 WHERE part = 1 AND name = '''';
DELETE FROM more WHERE name = '-- x';
INSERT INTO more (name, part, big, ir, by) VALUES (E'new\t\\', 5, NULL, '[3,3]', '\xdeadbeef');
DELETE FROM bag WHERE ctid IN (SELECT ctid FROM bag WHERE a = 1 LIMIT 1); UPDATE bag SET j = '{"a": 2}' WHERE a = 2; INSERT INTO bag VALUES (NULL,NULL,NULL,NULL,NULL);
UPDATE ids SET at = '2024-02-29 23:59:59.998+05:30' WHERE n = -5; INSERT INTO ids VALUES ('11111111-1111-1111-1111-111111111111','epoch',1);
UPDATE parts SET v = 'changed' WHERE id = 2; UPDATE parts SET d = '2024-02-29' WHERE id = 3; DELETE FROM refers; INSERT INTO refers VALUES (2, '2024-02-29', 3);
