//! Statements by hand.

use super::*;

const T: &str = "CREATE TABLE `t` (`id` int NOT NULL, `a` text, `b` varbinary(9), `c` bit(9), `d` double, PRIMARY KEY (`id`));\n";

/// Rows of `t` after these statements, read through the map and through small windows.
fn after(statements: &[u8]) -> Vec<String> {
    let mapped = texts(
        &*open_sql(statements, &SourceOptions::default()).unwrap(),
        "t",
    )
    .unwrap();
    let read = texts(&*open_sql(statements, &unmapped()).unwrap(), "t").unwrap();
    assert_eq!(mapped, read);
    mapped
}

fn refused(statements: &str) -> String {
    let error = match open_sql(statements.as_bytes(), &SourceOptions::default()) {
        Err(error) => error,
        Ok(snapshot) => error_of(texts(&*snapshot, "t")),
    };
    assert!(matches!(error.exit_code(), 2 | 3), "{error}");
    error.to_string()
}

#[test]
fn values_are_read_in_every_spelling() {
    for (value, want) in [
        (
            r"1,'a\'b\\c\n\0\Z\%\x''d','x',b'101',1.50",
            r"a=a'b\\c\x0a\x00\x1a\\%x'd b=x c=5 d=1.5 id=1",
        ),
        (
            r#"1,"say ""hi""\"",0x00ff,0x0101,-0e0"#,
            r#"a=say "hi"" b=\x00\xff c=257 d=0 id=1"#,
        ),
        (
            "1,_utf8mb4'x',_binary 'y',_binary '\\0\\\u{1}',.5",
            r"a=x b=y c=1 d=0.5 id=1",
        ),
        ("1 , N'n' ,X'4142', 0b11 , NULL", "a=n b=AB c=3 d:NULL id=1"),
        ("'007',5,'','','1e2'", "a=5 b= c=0 d=100 id=7"),
        (
            "1,CONVERT(\"{}\" USING UTF8MB4),null,7,1e-60",
            "a={} b:NULL c=7 d=1e-60 id=1",
        ),
        (
            "1,'),(;/* -- # `','\\\\',NULL,+2",
            r"a=),(;/* -- # ` b=\\ c:NULL d=2 id=1",
        ),
    ] {
        let dump = format!("{T}INSERT INTO `t` VALUES ({value});\n");
        assert_eq!(after(dump.as_bytes()), [want], "{value}");
    }
}

#[test]
fn values_that_are_none_of_their_column_are_refused() {
    for (value, want) in [
        ("1,'a','b',1,now()", "\"now()"),
        ("1,'a','b',1,'x'", "\"x\" in a column of numbers"),
        (
            "1,'a','b',1,0x41",
            "hexadecimal digits in a column of numbers",
        ),
        ("1,'a','b','123456789',1", "more than 64 bits"),
        ("1,'a',b'1',1,1", "bits in a column of another type"),
        ("1,'a',0xzz,1,1", "hexadecimal digit"),
        ("1,'a','b',1", "a row of 4 values, not 5"),
        ("NULL,'a','b',1,1", "NULL in the column \"id\" of the key"),
        ("1,'a' 'b','b',1,1", "no constant"),
    ] {
        let told = refused(&format!("{T}INSERT INTO `t` VALUES ({value});\n"));
        assert!(told.contains(want), "{value}: {told}");
    }
}

#[test]
fn the_dumps_own_mode_decides_what_a_backslash_is() {
    let dump = format!(
        "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_BACKSLASH_ESCAPES,ANSI' */;\n{T}INSERT INTO \"t\" VALUES (1,'a\\','b',1,1);\n/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;\nINSERT INTO t (d,id,a,b,c) VALUES (2,2,'a\\'','b',1);\n"
    );
    assert_eq!(
        after(dump.as_bytes()),
        [r"a=a\\ b=b c=1 d=1 id=1", "a=a' b=b c=1 d=2 id=2"]
    );
    assert!(refused("SET SQL_MODE=CONCAT(@@SQL_MODE,',ANSI');\n").contains("expression"));
    assert!(refused("SET NAMES sjis;\n").contains("half a character"));
}

#[test]
fn bodies_of_routines_and_triggers_do_nothing() {
    let dump = format!(
        "{T}DELIMITER ;;\n/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 TRIGGER `x` BEFORE INSERT ON `t` FOR EACH ROW BEGIN\n INSERT INTO `t` VALUES (9,'no','',1,1); -- it's ; one\n DELETE FROM t; END */;;\nDELIMITER ;\nINSERT INTO `t` VALUES (1,'yes','',1,1);\n"
    );
    assert_eq!(after(dump.as_bytes()), ["a=yes b= c=1 d=1 id=1"]);
}

#[test]
fn tables_go_and_views_take_the_place_of_tables() {
    let row = "INSERT INTO `t` VALUES (1,'old','',1,1);\n";
    let again = format!(
        "{T}{row}DROP TABLE IF EXISTS `t`;\n{T}{}",
        row.replace("old", "new")
    );
    assert_eq!(after(again.as_bytes()), ["a=new b= c=1 d=1 id=1"]);
    let view = format!(
        "{T}CREATE TABLE `v` (`x` tinyint);\n/*!50001 DROP TABLE IF EXISTS `v`*/;\n/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50001 VIEW `v` AS select 1 AS `x` */;\n{row}"
    );
    let snapshot = open_sql(view.as_bytes(), &SourceOptions::default()).unwrap();
    let names: Vec<&str> = snapshot.tables().iter().map(|table| table.name()).collect();
    assert_eq!(names, ["t"]);
    assert!(refused(&format!("{T}{T}")).contains("created twice"));
}

#[test]
fn several_databases_name_their_tables() {
    let of =
        |name: &str| format!("USE `{name}`;\n{T}INSERT INTO `t` VALUES (1,'{name}','',1,1);\n");
    let both = format!("{}{}", of("x"), of("y"));
    let snapshot = open_sql(both.as_bytes(), &SourceOptions::default()).unwrap();
    assert_eq!(texts(&*snapshot, "x.t").unwrap(), ["a=x b= c=1 d=1 id=1"]);
    assert_eq!(texts(&*snapshot, "y.t").unwrap(), ["a=y b= c=1 d=1 id=1"]);
    assert_eq!(after(of("x").as_bytes()), ["a=x b= c=1 d=1 id=1"]);
}

#[test]
fn keys_are_found_where_they_stand() {
    let rows = "INSERT INTO `t` VALUES (1,'x','y'),(2,'x','z');\n";
    let key = |columns: &str, more: &str, options: &SourceOptions| {
        let dump = format!("CREATE TABLE `t` ({columns}) ENGINE=InnoDB;\n{rows}{more}");
        let snapshot = open_sql(dump.as_bytes(), options).unwrap();
        let Schema::Columns { key, .. } = table(&*snapshot, "t").schema().clone() else {
            panic!("named columns are wanted");
        };
        texts(&*snapshot, "t").map(|rows| (key.join(","), rows.len()))
    };
    let plain = SourceOptions::default();
    let columns = "`a` int NOT NULL, `b` varchar(9) NOT NULL, `c` text";
    for (more, after, want) in [
        (", PRIMARY KEY (`b`(3),`a` DESC) USING BTREE", "", "b,a"),
        (
            ", UNIQUE KEY `u` (`c`), UNIQUE KEY `w` (`a`,`b`)",
            "",
            "a,b",
        ),
        (
            ", UNIQUE KEY `u` ((lower(`b`))), CONSTRAINT `k` PRIMARY KEY (`a`)",
            "",
            "a",
        ),
        (
            "",
            "ALTER TABLE `t`\n  ADD PRIMARY KEY (`a`),\n  ADD KEY `i` (`b`);\n",
            "a",
        ),
    ] {
        let found = key(&format!("{columns}{more}"), after, &plain).unwrap();
        assert_eq!(found, (want.to_owned(), 2), "{more}{after}");
    }
    let mut asked = SourceOptions::default();
    asked.text.key = vec!["a".into(), "c".into()];
    assert_eq!(
        key(&format!("{columns}, PRIMARY KEY (`b`)"), "", &asked).unwrap(),
        ("a,c".to_owned(), 2)
    );
    let mut other_side = SourceOptions::default();
    other_side.text.usual_key = vec!["a".into()];
    assert_eq!(key(columns, "", &other_side).unwrap(), ("a".to_owned(), 2));
    assert_eq!(
        key(&format!("{columns}, PRIMARY KEY (`c`(5))"), "", &other_side).unwrap(),
        ("c".to_owned(), 2)
    );
    asked.text.key = vec!["nope".into()];
    let error = error_of(open_sql(T.as_bytes(), &asked));
    assert_eq!(error.to_string(), "--key: no table has a column \"nope\"");
    let twice = error_of(key(
        "`a` int, `b` varchar(9) PRIMARY KEY, `c` text",
        "",
        &plain,
    ));
    assert!(
        twice.to_string().contains("stands twice: at line 2"),
        "{twice}"
    );
}

#[test]
fn columns_can_be_left_out() {
    let dump = format!("{T}INSERT INTO `t` VALUES (1,'x','y',1,2);\n");
    let with = |columns: &[&str], ignored: &[&str]| {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let mut options = SourceOptions::default();
        options.text.columns = list(columns);
        options.text.ignore_columns = list(ignored);
        open_sql(dump.as_bytes(), &options).and_then(|snapshot| texts(&*snapshot, "t"))
    };
    assert_eq!(with(&["d", "a"], &[]).unwrap(), ["a=x d=2 id=1"]);
    assert_eq!(with(&[], &["b", "c"]).unwrap(), ["a=x d=2 id=1"]);
    assert_eq!(error_of(with(&[], &["id"])).exit_code(), 2);
    assert_eq!(error_of(with(&["e"], &[])).exit_code(), 2);
}

#[test]
fn what_changes_rows_otherwise_is_refused() {
    for (statement, want) in [
        ("UPDATE `t` SET a = 1;", "UPDATE"),
        ("DELETE FROM `t`;", "DELETE"),
        ("TRUNCATE `t`;", "TRUNCATE"),
        ("LOAD DATA INFILE 'x' INTO TABLE t;", "LOAD"),
        ("INSERT INTO `t` SELECT * FROM `u`;", "no list of rows"),
        ("INSERT INTO `t` SET id = 1;", "no list of rows"),
        (
            "INSERT INTO `t` VALUES (1,'a','b',1,1) ON DUPLICATE KEY UPDATE a = 2;",
            "may update",
        ),
        ("ALTER TABLE `t` DROP COLUMN a;", "altered"),
        ("CREATE TABLE `u` LIKE `t`;", "like another"),
        ("CREATE TABLE `u` SELECT 1;", "like another"),
        ("INSERT INTO `t` (id) VALUES (1);", "leave out the column"),
        ("INSERT INTO `t` (id,zz) VALUES (1,2);", "\"zz\""),
        ("INSERT INTO `t` VALUES;", "no row"),
    ] {
        let told = refused(&format!("{T}{statement}\n"));
        assert!(told.contains(want), "{statement}: {told}");
        assert!(told.contains("line 2") || told.contains("\"t\""), "{told}");
    }
    let told = refused("INSERT INTO `t` VALUES (1);\n");
    assert!(told.contains("not the CREATE TABLE"), "{told}");
}
