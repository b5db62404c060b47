/*!40103 SET TIME_ZONE='+00:00' */;
CREATE TABLE `typed` (
  `id` bigint(20) unsigned NOT NULL,
  `part` varchar(9) CHARACTER SET latin1 NOT NULL,
  `i` int(11) DEFAULT NULL,
  `n` decimal(20,5) DEFAULT NULL,
  `d` double DEFAULT NULL,
  `f` float DEFAULT NULL,
  `t` text,
  `l` varchar(30) CHARACTER SET latin1 DEFAULT NULL,
  `x` varbinary(20) DEFAULT NULL,
  `b` bit(9) DEFAULT NULL,
  `e` enum('a','B','c,d') DEFAULT NULL,
  `s` set('x','y') DEFAULT NULL,
  `day` date DEFAULT NULL,
  `at` datetime(3) DEFAULT NULL,
  `ts` timestamp NULL DEFAULT NULL,
  `tm` time DEFAULT NULL,
  `y` year(4) DEFAULT NULL,
  PRIMARY KEY (`part`,`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
