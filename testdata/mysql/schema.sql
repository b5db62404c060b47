SET NAMES utf8mb4;
SET sql_mode='NO_AUTO_VALUE_ON_ZERO';
CREATE TABLE `types` (
 id int unsigned NOT NULL, ti tinyint, si smallint unsigned, mi mediumint zerofill, bi bigint unsigned, de decimal(30,10), fl float, db double, y year, b1 bit(1), b9 bit(9), b64 bit(64),
 c char(10), v varchar(50) character set latin1, t text, tt tinytext, mt mediumtext, lt longtext, bn binary(8), vb varbinary(30), bl blob, tb tinyblob, mb mediumblob, lb longblob,
 d date, dt datetime(6), ts timestamp(3) NULL, tm time(2), e enum('a','b,c','it''s','(x)'), s set('x','y','z'), j json, u uuid, i6 inet6, i4 inet4, g geometry, p point,
 gen1 int GENERATED ALWAYS AS (ti+1) VIRTUAL, gen2 varchar(80) GENERATED ALWAYS AS (concat(tt,'''(')) STORED, inv int INVISIBLE DEFAULT 5,
 PRIMARY KEY (id), KEY k (`c`(3)), CHECK (id > 0), FULLTEXT KEY ft (t)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='a ; comment '' with (';
INSERT INTO types (id,ti,si,mi,bi,de,fl,db,y,b1,b9,b64,c,v,t,tt,mt,lt,bn,vb,bl,tb,mb,lb,d,dt,ts,tm,e,s,j,u,i6,i4,g,p,inv) VALUES
 (1,-128,65535,42,18446744073709551615,-12345678901234567890.0123456789,1.5e-30,1.7976931348623157e308,2024,b'1',b'100000001',0xffffffffffffffff,'char',_utf8mb4'lätin','te\'xt\\','','m"m','l\nl\r\n\t\0\Z',0x0001020304050607,0x27225c0a00ff,0x00,'','x',0xfffefd,'2024-02-29','2024-02-29 23:59:59.123456','2024-02-29 12:00:00.5','-838:59:59.99','it''s','x,z','{"a": [1, 2.50, "\\u00fc"]}','123e4567-e89b-12d3-a456-426614174000','::1','1.2.3.4',ST_GeomFromText('POINT(1 2)'),ST_GeomFromText('POINT(-3.5 4)'),7),
 (2,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL),
 (3,0,0,0,0,0,0,-0.0,0000,b'0',b'0',0,'','','','','','','','','','','','','0000-00-00','0000-00-00 00:00:00','2024-01-01 00:00:00','00:00:00','a','','[]','00000000-0000-0000-0000-000000000000','::','0.0.0.0',NULL,NULL,0),
 (4294967295,5,5,5,5,5.5,123456.789,0.1,1901,b'1',b'110100',0x41,'日本','ÿ','😀 `"''','NULL','\\N','--x',0x41,0x5c,0x27,0x22,0x60,0x3b,'9999-12-31','9999-12-31 23:59:59','2037-01-01 00:00:00','838:59:59','(x)','x,y,z','null',NULL,NULL,NULL,ST_GeomFromText('LINESTRING(0 0,1 1)'),NULL,1);
CREATE TABLE `we``ird ; 'n"ame` (`a,b` varchar(40) COLLATE utf8mb4_bin, `c(` varbinary(20) NOT NULL, `d\\` text, `ключ` int, PRIMARY KEY (`c(`,`a,b`)) DEFAULT CHARSET=utf8mb4;
INSERT INTO `we``ird ; 'n"ame` VALUES ('x''y',0x00,'1',1),('x''y',0x0001,'1\\',2),('','',NULL,NULL),(';',0x3b3b27,'INSERT INTO `q` VALUES (1);',3);
CREATE TABLE uniq (a int NOT NULL, b int NULL, c int NOT NULL, UNIQUE KEY ub (b), UNIQUE KEY uac (a,c)); INSERT INTO uniq VALUES (1,2,3),(1,NULL,4),(2,NULL,3);
CREATE TABLE nokey (a int, b text); INSERT INTO nokey VALUES (1,'x'),(2,'y');
CREATE TABLE bits (k bit(12) PRIMARY KEY, v float, f double); INSERT INTO bits VALUES (b'0',1,1),(b'101',0.1,1e-300),(b'111111111111',3.14159274,0.00000000000000000000000000000000000000000000012345);
CREATE VIEW vw AS SELECT id, c FROM types; 
CREATE TABLE log (n int auto_increment primary key, t text);
DELIMITER //
CREATE TRIGGER trg AFTER INSERT ON uniq FOR EACH ROW BEGIN INSERT INTO log (t) VALUES ('a;b'); UPDATE log SET t = "x" WHERE n < 0; END//
CREATE PROCEDURE pr() BEGIN DECLARE x INT; SET x = 1; INSERT INTO nokey VALUES (1,'it''s; -- no'); DELETE FROM nokey WHERE a = -1; END//
CREATE FUNCTION fn(a int) RETURNS int DETERMINISTIC RETURN a + 1//
CREATE EVENT ev ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM log; UPDATE log SET t=''; END//
DELIMITER ;
CREATE TABLE parted (a int primary key, b int) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE); INSERT INTO parted VALUES (1,1),(100,2);
CREATE SEQUENCE sq;
CREATE TABLE versioned (a int primary key, b int) WITH SYSTEM VERSIONING; INSERT INTO versioned VALUES (1,1); UPDATE versioned SET b=2;
