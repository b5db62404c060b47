CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE TABLE virtuals (id uuid DEFAULT uuidv7() PRIMARY KEY, a int CONSTRAINT a_set NOT NULL, twice int GENERATED ALWAYS AS (a * 2) VIRTUAL, plain int GENERATED ALWAYS AS (a + 1), kept int GENERATED ALWAYS AS (a + 2) STORED, t text);
INSERT INTO virtuals (id, a, t) VALUES ('00000000-0000-7000-8000-000000000001', 1, 'x'), ('00000000-0000-7000-8000-000000000002', -5, NULL);
CREATE TABLE bookings (room int, during daterange, who text, PRIMARY KEY (room, during WITHOUT OVERLAPS));
INSERT INTO bookings VALUES (1, '[2024-01-01,2024-02-01)', 'a'), (1, '[2024-02-01,2024-03-01)', 'b'), (2, '[2024-01-01,)', NULL);
CREATE TABLE checked (id int PRIMARY KEY, a int CHECK (a > 0) NOT ENFORCED); INSERT INTO checked VALUES (1, -1);
