/*!40103 SET TIME_ZONE='+00:00' */;
CREATE TABLE `nokey` (
  `a` int(11) DEFAULT NULL,
  `b` text
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
