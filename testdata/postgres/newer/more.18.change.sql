UPDATE virtuals SET a = 7 WHERE t = 'x'; INSERT INTO virtuals (id, a, t) VALUES ('00000000-0000-7000-8000-000000000003', 3, '');
DELETE FROM bookings WHERE who = 'b'; UPDATE bookings SET who = 'c' WHERE room = 2; INSERT INTO bookings VALUES (1, '[2024-02-10,2024-02-20)', 'd');
UPDATE checked SET a = -2;
