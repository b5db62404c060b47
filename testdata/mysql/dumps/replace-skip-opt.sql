/*M!999999\- enable the sandbox mode */ 
-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: t1
-- ------------------------------------------------------
-- Server version	10.11.19-MariaDB-0+deb12u1
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;

--
-- Sequence structure for `sq`
--

CREATE SEQUENCE `sq` start with 1 minvalue 1 maxvalue 9223372036854775806 increment by 1 cache 1000 nocycle ENGINE=InnoDB;
DO SETVAL(`sq`, 1, 0);

--
-- Table structure for table `bits`
--

/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `bits` (
  `k` bit(12) NOT NULL,
  `v` float DEFAULT NULL,
  `f` double DEFAULT NULL,
  PRIMARY KEY (`k`)
);
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `bits`
--

REPLACE INTO `bits` VALUES ('\0\0',1,1);
REPLACE INTO `bits` VALUES ('\0',0.1,1e-300);
REPLACE INTO `bits` VALUES ('ÿ',3.14159,1.2345e-46);

--
-- Table structure for table `log`
--

/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `log` (
  `n` int(11) NOT NULL,
  `t` text DEFAULT NULL,
  PRIMARY KEY (`n`)
);
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `log`
--


--
-- Table structure for table `nokey`
--

/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `nokey` (
  `a` int(11) DEFAULT NULL,
  `b` text DEFAULT NULL
);
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `nokey`
--

REPLACE INTO `nokey` VALUES (1,'x');
REPLACE INTO `nokey` VALUES (2,'y');

--
-- Table structure for table `parted`
--

/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `parted` (
  `a` int(11) NOT NULL,
  `b` int(11) DEFAULT NULL,
  PRIMARY KEY (`a`)
)
 PARTITION BY RANGE (`a`)
(PARTITION `p0` VALUES LESS THAN (10),
 PARTITION `p1` VALUES LESS THAN MAXVALUE);
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `parted`
--

REPLACE INTO `parted` VALUES (1,1);
REPLACE INTO `parted` VALUES (100,2);

--
-- Table structure for table `types`
--

/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `types` (
  `id` int(10) unsigned NOT NULL,
  `ti` tinyint(4) DEFAULT NULL,
  `si` smallint(5) unsigned DEFAULT NULL,
  `mi` mediumint(8) unsigned zerofill DEFAULT NULL,
  `bi` bigint(20) unsigned DEFAULT NULL,
  `de` decimal(30,10) DEFAULT NULL,
  `fl` float DEFAULT NULL,
  `db` double DEFAULT NULL,
  `y` year(4) DEFAULT NULL,
  `b1` bit(1) DEFAULT NULL,
  `b9` bit(9) DEFAULT NULL,
  `b64` bit(64) DEFAULT NULL,
  `c` char(10) DEFAULT NULL,
  `v` varchar(50) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL,
  `t` text DEFAULT NULL,
  `tt` tinytext DEFAULT NULL,
  `mt` mediumtext DEFAULT NULL,
  `lt` longtext DEFAULT NULL,
  `bn` binary(8) DEFAULT NULL,
  `vb` varbinary(30) DEFAULT NULL,
  `bl` blob DEFAULT NULL,
  `tb` tinyblob DEFAULT NULL,
  `mb` mediumblob DEFAULT NULL,
  `lb` longblob DEFAULT NULL,
  `d` date DEFAULT NULL,
  `dt` datetime(6) DEFAULT NULL,
  `ts` timestamp(3) NULL DEFAULT NULL,
  `tm` time(2) DEFAULT NULL,
  `e` enum('a','b,c','it''s','(x)') DEFAULT NULL,
  `s` set('x','y','z') DEFAULT NULL,
  `j` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`j`)),
  `u` uuid DEFAULT NULL,
  `i6` inet6 DEFAULT NULL,
  `i4` inet4 DEFAULT NULL,
  `g` geometry DEFAULT NULL,
  `p` point DEFAULT NULL,
  `gen1` int(11) GENERATED ALWAYS AS (`ti` + 1) VIRTUAL,
  `gen2` varchar(80) GENERATED ALWAYS AS (concat(`tt`,'\'(')) STORED,
  `inv` int(11) INVISIBLE DEFAULT 5,
  PRIMARY KEY (`id`),
  KEY `k` (`c`(3)),
  FULLTEXT KEY `ft` (`t`),
  CONSTRAINT `CONSTRAINT_1` CHECK (`id` > 0)
);
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `types`
--

REPLACE INTO `types` (`id`, `ti`, `si`, `mi`, `bi`, `de`, `fl`, `db`, `y`, `b1`, `b9`, `b64`, `c`, `v`, `t`, `tt`, `mt`, `lt`, `bn`, `vb`, `bl`, `tb`, `mb`, `lb`, `d`, `dt`, `ts`, `tm`, `e`, `s`, `j`, `u`, `i6`, `i4`, `g`, `p`, `gen1`, `gen2`, `inv`) VALUES (1,-128,65535,00000042,18446744073709551615,-12345678901234567890.0123456789,1.5e-30,1.7976931348623157e308,2024,'','','ÿÿÿÿÿÿÿÿ','char','lÃ¤tin','te\'xt\\','','m\"m','l\nl\r\n	\0\Z','\0','\'\"\\\n\0ÿ','\0','','x','ÿþý','2024-02-29','2024-02-29 23:59:59.123456','2024-02-29 12:00:00.500','-838:59:59.99','it\'s','x,z','{\"a\": [1, 2.50, \"\\u00fc\"]}','123e4567-e89b-12d3-a456-426614174000','::1','1.2.3.4','\0\0\0\0\0\0\0\0\0\0\0\0\0ð?\0\0\0\0\0\0\0@','\0\0\0\0\0\0\0\0\0\0\0\0\0À\0\0\0\0\0\0@',-127,'\'(',7);
REPLACE INTO `types` (`id`, `ti`, `si`, `mi`, `bi`, `de`, `fl`, `db`, `y`, `b1`, `b9`, `b64`, `c`, `v`, `t`, `tt`, `mt`, `lt`, `bn`, `vb`, `bl`, `tb`, `mb`, `lb`, `d`, `dt`, `ts`, `tm`, `e`, `s`, `j`, `u`, `i6`, `i4`, `g`, `p`, `gen1`, `gen2`, `inv`) VALUES (2,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
REPLACE INTO `types` (`id`, `ti`, `si`, `mi`, `bi`, `de`, `fl`, `db`, `y`, `b1`, `b9`, `b64`, `c`, `v`, `t`, `tt`, `mt`, `lt`, `bn`, `vb`, `bl`, `tb`, `mb`, `lb`, `d`, `dt`, `ts`, `tm`, `e`, `s`, `j`, `u`, `i6`, `i4`, `g`, `p`, `gen1`, `gen2`, `inv`) VALUES (3,0,0,00000000,0,0.0000000000,0,0,0000,'\0','\0\0','\0\0\0\0\0\0\0\0','','','','','','','\0\0\0\0\0\0\0\0','','','','','','0000-00-00','0000-00-00 00:00:00.000000','2024-01-01 00:00:00.000','00:00:00.00','a','','[]','00000000-0000-0000-0000-000000000000','::','0.0.0.0',NULL,NULL,1,'\'(',0);
REPLACE INTO `types` (`id`, `ti`, `si`, `mi`, `bi`, `de`, `fl`, `db`, `y`, `b1`, `b9`, `b64`, `c`, `v`, `t`, `tt`, `mt`, `lt`, `bn`, `vb`, `bl`, `tb`, `mb`, `lb`, `d`, `dt`, `ts`, `tm`, `e`, `s`, `j`, `u`, `i6`, `i4`, `g`, `p`, `gen1`, `gen2`, `inv`) VALUES (4294967295,5,5,00000005,5,5.5000000000,123457,0.1,1901,'','\04','\0\0\0\0\0\0\0A','æ—¥æœ¬','Ã¿','ðŸ˜€ `\"\'','NULL','\\N','--x','A\0\0\0\0\0\0\0','\\','\'','\"','`',';','9999-12-31','9999-12-31 23:59:59.000000','2037-01-01 00:00:00.000','838:59:59.00','(x)','x,y,z','null',NULL,NULL,NULL,'\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0ð?\0\0\0\0\0\0ð?',NULL,6,'NULL\'(',1);

--
-- Table structure for table `uniq`
--

/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `uniq` (
  `a` int(11) NOT NULL,
  `b` int(11) DEFAULT NULL,
  `c` int(11) NOT NULL,
  UNIQUE KEY `uac` (`a`,`c`),
  UNIQUE KEY `ub` (`b`)
);
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `uniq`
--

REPLACE INTO `uniq` VALUES (1,NULL,4);
REPLACE INTO `uniq` VALUES (2,NULL,3);
REPLACE INTO `uniq` VALUES (1,2,3);
/*!50003 SET @saved_cs_client      = @@character_set_client */ ;
/*!50003 SET @saved_cs_results     = @@character_set_results */ ;
/*!50003 SET @saved_col_connection = @@collation_connection */ ;
/*!50003 SET character_set_client  = utf8mb4 */ ;
/*!50003 SET character_set_results = utf8mb4 */ ;
/*!50003 SET collation_connection  = utf8mb4_general_ci */ ;
/*!50003 SET @saved_sql_mode       = @@sql_mode */ ;
/*!50003 SET sql_mode              = 'NO_AUTO_VALUE_ON_ZERO' */ ;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER trg AFTER INSERT ON uniq FOR EACH ROW BEGIN INSERT INTO log (t) VALUES ('a;b'); UPDATE log SET t = "x" WHERE n < 0; END 
*/;;
DELIMITER ;
/*!50003 SET sql_mode              = @saved_sql_mode */ ;
/*!50003 SET character_set_client  = @saved_cs_client */ ;
/*!50003 SET character_set_results = @saved_cs_results */ ;
/*!50003 SET collation_connection  = @saved_col_connection */ ;

--
-- Table structure for table `versioned`
--

/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `versioned` (
  `a` int(11) NOT NULL,
  `b` int(11) DEFAULT NULL,
  PRIMARY KEY (`a`)
) WITH SYSTEM VERSIONING;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `versioned`
--

REPLACE INTO `versioned` VALUES (1,2);

--
-- Temporary table structure for view `vw`
--

SET @saved_cs_client     = @@character_set_client;
SET character_set_client = utf8mb4;
/*!50001 CREATE VIEW `vw` AS SELECT
 NULL AS `id`,
 NULL AS `c` */;
SET character_set_client = @saved_cs_client;

--
-- Table structure for table `we``ird ; 'n"ame`
--

/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `we``ird ; 'n"ame` (
  `a,b` varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `c(` varbinary(20) NOT NULL,
  `d\\` text DEFAULT NULL,
  `ÐºÐ»ÑŽÑ‡` int(11) DEFAULT NULL,
  PRIMARY KEY (`c(`,`a,b`)
);
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `we``ird ; 'n"ame`
--

REPLACE INTO `we``ird ; 'n"ame` VALUES ('','',NULL,NULL);
REPLACE INTO `we``ird ; 'n"ame` VALUES ('x\'y','\0','1',1);
REPLACE INTO `we``ird ; 'n"ame` VALUES ('x\'y','\0','1\\',2);
REPLACE INTO `we``ird ; 'n"ame` VALUES (';',';;\'','INSERT INTO `q` VALUES (1);',3);

--
-- Final view structure for view `vw`
--

/*!50001 DROP VIEW IF EXISTS `vw`*/;
/*!50001 SET @saved_cs_client          = @@character_set_client */;
/*!50001 SET @saved_cs_results         = @@character_set_results */;
/*!50001 SET @saved_col_connection     = @@collation_connection */;
/*!50001 SET character_set_client      = utf8mb4 */;
/*!50001 SET character_set_results     = utf8mb4 */;
/*!50001 SET collation_connection      = utf8mb4_general_ci */;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `vw` AS select `types`.`id` AS `id`,`types`.`c` AS `c` from `types` */;
/*!50001 SET character_set_client      = @saved_cs_client */;
/*!50001 SET character_set_results     = @saved_cs_results */;
/*!50001 SET collation_connection      = @saved_col_connection */;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

-- Dump completed on 2026-11-27  5:44:21
