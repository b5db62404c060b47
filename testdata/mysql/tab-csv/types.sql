/*M!999999\- enable the sandbox mode */ 
-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: t1
-- ------------------------------------------------------
-- Server version	10.11.19-MariaDB-0+deb12u1

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET @OLD_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS */;
/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;
/*!40101 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='' */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;

--
-- Table structure for table `types`
--

DROP TABLE IF EXISTS `types`;
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
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci COMMENT='a ; comment '' with (';
/*!40101 SET character_set_client = @saved_cs_client */;

/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
/*!40101 SET CHARACTER_SET_RESULTS=@OLD_CHARACTER_SET_RESULTS */;
/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

-- Dump completed on 2026-11-27  5:44:22
