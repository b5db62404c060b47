SET NAMES utf8mb4;
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00';
CREATE TABLE kinds (
  id int unsigned NOT NULL AUTO_INCREMENT, ti tinyint, si smallint unsigned, mi mediumint, bi bigint, bu bigint unsigned,
  de decimal(65,30), d2 decimal(10,2), fl float, db double, ok tinyint(1), y year, b1 bit(1), b9 bit(9), b64 bit(64),
  c char(10), v varchar(50) CHARACTER SET latin1, t text, tt tinytext COLLATE utf8mb4_bin, u3 varchar(20) CHARACTER SET utf8mb3, a varchar(9) CHARACTER SET ascii,
  u16 varchar(20) CHARACTER SET utf16, bn binary(4), vb varbinary(300), bl blob, lb longblob,
  d date, dt datetime(6), ts timestamp(3) NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), tm time(2),
  e enum('a','b,c','it''s','(x)',''), s set('x','y','z'), j json, g geometry, p point SRID 4326, vec vector(3),
  gen1 int GENERATED ALWAYS AS (ti + 1) VIRTUAL, gen2 varchar(80) GENERATED ALWAYS AS (concat(tt, '''(')) STORED NOT NULL,
  inv int DEFAULT '5' INVISIBLE, uu binary(16) DEFAULT (uuid_to_bin('00112233-4455-6677-8899-aabbccddeeff')), ex varchar(20) DEFAULT (concat('a', ';b')),
  geninv bigint GENERATED ALWAYS AS (bi) VIRTUAL INVISIBLE,
  PRIMARY KEY (id), KEY k (c(3) DESC), KEY fn ((upper(c)), ti), KEY mv ((CAST(j->'$.tags' AS UNSIGNED ARRAY))), CHECK (c <> ');'), CONSTRAINT ck CHECK (ti < 127) /*!80016 NOT ENFORCED */, FULLTEXT KEY ft (t), KEY iv (ti) INVISIBLE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='a ; comment '' with ( \\ -- x';
INSERT INTO kinds (id,ti,si,mi,bi,bu,de,d2,fl,db,ok,y,b1,b9,b64,c,v,t,tt,u3,a,u16,bn,vb,bl,lb,d,dt,ts,tm,e,s,j,g,p,vec,inv,uu,ex) VALUES
 (1,-128,65535,-8388608,-9223372036854775808,18446744073709551615,-12345678901234567890123456789012345.012345678901234567890123456789,-99999999.99,1.5e-30,1.7976931348623157e308,1,2024,b'1',b'100000001',0xffffffffffffffff,'char',_utf8mb4'lätin','te\'xt\\','','m"m','l\nl\r\n\t','é😀',0x00010203,0x27225c0a00ff0d091a,0x00,'','2024-02-29','2024-02-29 23:59:59.123456','2024-02-29 12:00:00.5','-838:59:59','it''s','x,z','{"b": [1, 2.50, "\\u00fc\\n", null, true, -0.0, 1e300], "a": {"tags": "q\\"\\\\"}}',ST_GeomFromText('POINT(1 2)'),ST_GeomFromText('POINT(1 2)',4326),TO_VECTOR('[1,2.5,-0.1]'),7,0x000102030405060708090a0b0c0d0eff,'x'),
 (2,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL),
 (3,0,0,0,0,0,0,0,0,-0.0,0,0000,b'0',b'0',0,'','','','','','','','','','','','0000-00-00','0000-00-00 00:00:00','2024-01-01 00:00:00','00:00:00','','','[]',NULL,NULL,NULL,0,'',''),
 (4294967295,5,5,5,5,5,5.5,5.50,123456.789,0.1,0,1901,b'1',b'110100',0x41,'日本','ÿ€','😀 `"''','NULL','\\N','--x','ж',0x41,0x5c,0x27,0x22,'9999-12-31','9999-12-31 23:59:59','2038-01-19 03:14:07','838:59:59','(x)','x,y,z','null',ST_GeomFromText('LINESTRING(0 0,1 1)'),NULL,TO_VECTOR('[0]'),1,0x27,'/*! x */'),
 (7,7,7,7,7,7,1e-30,0.10,16777216,1e22,1,2155,b'1',b'111111111',1,'a  ','a ','%_ \0\Z\b','</field>&amp;<![CDATA[',']]>','&<>"','',0xff000000,REPEAT(0xff00,40),0xc328,REPEAT(0x5c,5),'0001-01-01','1000-01-01 00:00:00','1970-01-01 00:00:01','-00:00:00.01','b,c','y','"text \\u0000 zero"',ST_GeomFromText('GEOMETRYCOLLECTION EMPTY'),NULL,NULL,NULL,NULL,';');
INSERT INTO kinds (id, tt) VALUES (9, 'defaults');
UPDATE kinds SET ts = '2020-01-01' WHERE id = 9;
CREATE TABLE `we``ird ; n"ame` (`a,b` varchar(40) COLLATE utf8mb4_0900_as_cs, `c(` varbinary(20) NOT NULL, `d\\` text, `ключ` int, `select` int, PRIMARY KEY (`c(`,`a,b` DESC)) DEFAULT CHARSET=utf8mb4;
INSERT INTO `we``ird ; n"ame` VALUES ('x''y',0x00,'1',1,NULL),('x''y',0x0001,'1\\',2,0),('','',NULL,NULL,1),(';',0x3b3b27,'INSERT INTO `q` VALUES (1);',3,2),('É',0xff,'-- x\n/* y */',-4,3),('e',0xff,'',5,4);
CREATE TABLE names (name varchar(30) NOT NULL, n int NOT NULL DEFAULT 0, PRIMARY KEY (name)) DEFAULT CHARSET=utf8mb4 COLLATE utf8mb4_0900_bin;
INSERT INTO names VALUES ('',0),(' ',1),('a',2),('A',3),('ä',4),('\\',5),('''',6),('\n',7),('\0',8),('%',9),('😀',10);
CREATE TABLE prefixed (t text NOT NULL, b blob NOT NULL, x int, PRIMARY KEY (t(5), b(3)));
INSERT INTO prefixed VALUES ('abc',0x00ff,1),('abd',0x00fe,2);
CREATE TABLE uniq (a int NOT NULL, b int NULL, c int NOT NULL, UNIQUE KEY ub (b), UNIQUE KEY uac (a,c)); INSERT INTO uniq VALUES (1,2,3),(1,NULL,4),(2,NULL,3);
CREATE TABLE nokey (a int, b text, f float, j json, vb varbinary(9)); INSERT INTO nokey VALUES (1,'x',0.1,'{"a": 1}',0x00ff),(1,'x',0.1,'{"a": 1}',0x00ff),(1,'X',0.1,'{"a": 1}',0x00ff),(2,NULL,NULL,NULL,NULL),(2,NULL,NULL,NULL,NULL),(3,'',1e-30,'[]',''),(6,'f',123456.789,NULL,NULL),(6,'f',123456.789,NULL,NULL),(6,'f',9.999994,NULL,NULL);
SET sql_generate_invisible_primary_key = ON;
CREATE TABLE gipk (a int, b text); INSERT INTO gipk VALUES (1,'x'),(1,'x'),(NULL,NULL);
SET sql_generate_invisible_primary_key = OFF;
CREATE TABLE days (d date NOT NULL, at datetime(3) NOT NULL, k bit(12) NOT NULL, n decimal(12,4) NOT NULL, v double, PRIMARY KEY (d, at, k, n)); INSERT INTO days VALUES ('2024-02-29','2024-02-29 01:02:03.004',b'101',-1.5,1e-300),('2024-02-29','2024-02-29 01:02:03.004',b'101',1.5,3.141592653589793),('0000-00-00','0000-00-00 00:00:00',b'111111111111',0,-1);
CREATE TABLE parted (a int PRIMARY KEY, b int) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE); INSERT INTO parted VALUES (1,1),(100,2);
CREATE TABLE parent (id int PRIMARY KEY, t text); INSERT INTO parent VALUES (1,'p'),(2,'q');
CREATE TABLE child (id int PRIMARY KEY, p int, CONSTRAINT fk FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE); INSERT INTO child VALUES (1,1),(2,NULL);
CREATE TABLE `empty` (n int AUTO_INCREMENT PRIMARY KEY, t text);
CREATE VIEW vw AS SELECT id, c FROM kinds;
DELIMITER //
CREATE TRIGGER trg BEFORE INSERT ON uniq FOR EACH ROW BEGIN SET NEW.c = NEW.c; /* it's ; "one" */ END//
CREATE PROCEDURE pr() BEGIN DECLARE x INT; SET x = 1; INSERT INTO nokey (a,b) VALUES (1,'it''s; -- no'); DELETE FROM nokey WHERE a = -1; END//
CREATE FUNCTION fn(a int) RETURNS int DETERMINISTIC RETURN a + 1//
CREATE EVENT ev ON SCHEDULE EVERY 1 DAY DISABLE DO BEGIN DELETE FROM `empty`; UPDATE `empty` SET t=''; END//
DELIMITER ;
