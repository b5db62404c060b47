/*!40101 SET NAMES binary*/;
CREATE TABLE `vw`(
`id` int,
`c` int
)ENGINE=MyISAM;
