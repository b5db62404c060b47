-- MySQL dump 10.13  Distrib 9.7.4, for Linux (x86_64)
--
-- Host: localhost    Database: base
-- ------------------------------------------------------
-- Server version	9.7.4-2

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET @OLD_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS */;
/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;
/*!50503 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='' */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;

--
-- Table structure for table `kinds`
--

DROP TABLE IF EXISTS `kinds`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE `kinds` (
  `id` int unsigned NOT NULL AUTO_INCREMENT,
  `ti` tinyint DEFAULT NULL,
  `si` smallint unsigned DEFAULT NULL,
  `mi` mediumint DEFAULT NULL,
  `bi` bigint DEFAULT NULL,
  `bu` bigint unsigned DEFAULT NULL,
  `de` decimal(65,30) DEFAULT NULL,
  `d2` decimal(10,2) DEFAULT NULL,
  `fl` float DEFAULT NULL,
  `db` double DEFAULT NULL,
  `ok` tinyint(1) DEFAULT NULL,
  `y` year DEFAULT NULL,
  `b1` bit(1) DEFAULT NULL,
  `b9` bit(9) DEFAULT NULL,
  `b64` bit(64) DEFAULT NULL,
  `c` char(10) DEFAULT NULL,
  `v` varchar(50) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL,
  `t` text,
  `tt` tinytext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  `u3` varchar(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci DEFAULT NULL,
  `a` varchar(9) CHARACTER SET ascii COLLATE ascii_general_ci DEFAULT NULL,
  `u16` varchar(20) CHARACTER SET utf16 COLLATE utf16_general_ci DEFAULT NULL,
  `bn` binary(4) DEFAULT NULL,
  `vb` varbinary(300) DEFAULT NULL,
  `bl` blob,
  `lb` longblob,
  `d` date DEFAULT NULL,
  `dt` datetime(6) DEFAULT NULL,
  `ts` timestamp(3) NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  `tm` time(2) DEFAULT NULL,
  `e` enum('a','b,c','it''s','(x)','') DEFAULT NULL,
  `s` set('x','y','z') DEFAULT NULL,
  `j` json DEFAULT NULL,
  `g` geometry DEFAULT NULL,
  `p` point /*!80003 SRID 4326 */ DEFAULT NULL,
  `vec` vector(3) DEFAULT NULL,
  `gen1` int GENERATED ALWAYS AS ((`ti` + 1)) VIRTUAL,
  `gen2` varchar(80) GENERATED ALWAYS AS (concat(`tt`,_utf8mb4'\'(')) STORED NOT NULL,
  `inv` int DEFAULT '5' /*!80023 INVISIBLE */,
  `uu` binary(16) DEFAULT (uuid_to_bin(_utf8mb4'00112233-4455-6677-8899-aabbccddeeff')),
  `ex` varchar(20) DEFAULT (concat(_utf8mb4'a',_utf8mb4';b')),
  `geninv` bigint GENERATED ALWAYS AS (`bi`) VIRTUAL /*!80023 INVISIBLE */,
  PRIMARY KEY (`id`),
  KEY `k` (`c`(3) DESC),
  KEY `iv` (`ti`) /*!80000 INVISIBLE */,
  KEY `fn` ((upper(`c`)),`ti`),
  KEY `mv` ((cast(json_extract(`j`,_utf8mb4'$.tags') as unsigned array))),
  FULLTEXT KEY `ft` (`t`),
  CONSTRAINT `ck` CHECK ((`ti` < 127)) /*!80016 NOT ENFORCED */,
  CONSTRAINT `kinds_chk_1` CHECK ((`c` <> _utf8mb4');'))
) ENGINE=InnoDB AUTO_INCREMENT=4294967295 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='a ; comment '' with ( \\ -- x';
/*!40101 SET character_set_client = @saved_cs_client */;

/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
/*!40101 SET CHARACTER_SET_RESULTS=@OLD_CHARACTER_SET_RESULTS */;
/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

-- Dump completed on 2026-11-27 16:17:05
