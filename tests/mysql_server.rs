//! A patch of two dumps, run as statements by a real MariaDB server, makes the first database the second.
//!
//! The server is one of this machine (Debian: mariadb-server), started for this test on a socket in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

mod common;

use common::{mdiff, skipped, testdata, tool};

/// A server of its own; it ends with this.
struct Server {
    process: Child,
    dir: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// Starts one, or says why there is none.
    fn start() -> Result<Server, String> {
        for name in ["mariadbd", "mariadb", "mariadb-dump"] {
            tool(name, &["--no-defaults", "--version"])
                .ok_or(format!("{name} is not installed"))?;
        }
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let option = |name: &str, path: &Path| format!("--{name}={}", path.display());
        // The server refuses to run as root unless it is told so.
        let user = "--user=root";
        let made = Command::new("mariadb-install-db")
            .args(["--no-defaults", "--auth-root-authentication-method=normal"])
            .args(["--skip-test-db", user, &option("datadir", &data)])
            .output()
            .map_err(|e| format!("mariadb-install-db: {e}"))?;
        if !made.status.success() {
            return Err(String::from_utf8_lossy(&made.stderr).into_owned());
        }
        let process = Command::new("mariadbd")
            .args(["--no-defaults", "--skip-networking", user])
            .args(["--innodb-flush-log-at-trx-commit=0"])
            .args([
                option("datadir", &data),
                option("socket", &dir.path().join("s")),
            ])
            .args([option("pid-file", &dir.path().join("pid"))])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("mariadbd: {e}"))?;
        let server = Server { process, dir };
        let started = Instant::now();
        while !server
            .client("mariadb", &["-e", "SELECT 1"])
            .output()
            .unwrap()
            .status
            .success()
        {
            if started.elapsed() > Duration::from_secs(60) {
                return Err("the server does not answer".into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    fn client(&self, name: &str, args: &[&str]) -> Command {
        let mut command = Command::new(name);
        let socket = self.dir.path().join("s");
        command
            .args(["--no-defaults", "-uroot", "-S"])
            .arg(socket)
            .args(args);
        command
    }

    /// Runs a script on a database.
    fn run(&self, args: &[&str], script: &Path) {
        let script = fs::File::open(script).unwrap();
        let ran = self.client("mariadb", args).stdin(script).output().unwrap();
        let told = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{args:?}: {told}");
    }

    /// Makes a database of a dump.
    fn make(&self, database: &str, dump: &Path) {
        let create = format!("DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database}");
        assert!(
            self.client("mariadb", &["-e", &create])
                .status()
                .unwrap()
                .success()
        );
        self.run(&[database], dump);
    }

    fn dump(&self, database: &str, to: PathBuf) -> PathBuf {
        let made = self.client("mariadb-dump", &[database]).output().unwrap();
        assert!(made.status.success());
        fs::write(&to, made.stdout).unwrap();
        to
    }
}

#[test]
fn statements_make_the_base_the_target_in_every_session() {
    let server = match Server::start() {
        Ok(server) => server,
        Err(why) => {
            return skipped(&format!(
                "NO PROOF BY A SERVER that statements for MySQL do what they should: {why}"
            ));
        }
    };
    let temp = tempfile::tempdir().unwrap();
    let (base, target) = (testdata("mysql/base.sql"), testdata("mysql/target.sql"));
    let patch = temp.path().join("p.mpatch");
    mdiff(["patch", "-q"])
        .args([&base, &target])
        .args(["-o".as_ref(), patch.as_os_str()])
        .run()
        .exits(0);
    let statements = mdiff(["cat", "--format", "sql"])
        .args([&patch])
        .run()
        .exits(0)
        .stdout;
    let script = temp.path().join("patch.sql");
    fs::write(&script, statements).unwrap();
    for mode in ["", "NO_BACKSLASH_ESCAPES", "ANSI"] {
        for charset in ["utf8mb4", "latin1", "binary"] {
            server.make("repaired", &base);
            let before = server.dump("repaired", temp.path().join("before.sql"));
            mdiff(["compare", "-qq"])
                .args([&before, &target])
                .run()
                .exits(1);
            let charset_option = format!("--default-character-set={charset}");
            let mode_option = format!("--init-command=SET sql_mode='{mode}', time_zone='+03:00'");
            server.run(&[&charset_option, &mode_option, "repaired"], &script);
            let after = server.dump("repaired", temp.path().join("after.sql"));
            mdiff(["compare"]).args([&after, &target]).run().exits(0);
        }
    }
    rows_without_a_key_become_the_targets(&server, temp.path());
}

const BAG: &str = "
CREATE TABLE bag (i int, t varchar(20) CHARACTER SET latin1, u text CHARACTER SET utf8mb4, d double, f float, j json, x varbinary(9), n decimal(20,5), b bit(9), e enum('a','B'), m datetime(3)) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;
CREATE TABLE one (t text);
INSERT INTO bag SELECT seq % 7, CONCAT('row ', seq % 5), 'same', seq % 3 / 3, seq % 2 / 10, '{\"a\":1}', x'00ff', seq % 4, seq % 2, 'a', '2024-05-06 07:08:09.5' FROM seq_1_to_500;
INSERT INTO bag (t, u) VALUES ('a', 'a'), ('A', 'a'), ('a', 'a'), ('a ', 'a'), ('', ''), (NULL, NULL), (NULL, NULL), ('ü', '😀\\\\'), ('ü', 'u');
INSERT INTO bag (j, f, e) VALUES ('{\"a\": 1}', 123456789, 'B'), ('{\"a\" :1}', -0.1, 'B'), (NULL, 1e-30, ''), (NULL, 1e-30, NULL);
INSERT INTO bag (f) VALUES (123456.789), (123456.789), (9.999994), (9.99999), (1.000004);
INSERT INTO one VALUES (NULL), (''), ('x'), ('x'), ('X'), ('1');
CREATE TABLE reals (f float PRIMARY KEY, g float, t text);
INSERT INTO reals VALUES (0.1, 123456.789, 'a'), (16777216, 1, 'b'), (1.5, NULL, 'c'), (7, 7, 'd');
";

const BAG_CHANGE: &str = "
DELETE FROM bag WHERE i = 3;
DELETE FROM bag WHERE i = 5 LIMIT 9;
INSERT INTO bag SELECT * FROM bag WHERE i = 1 LIMIT 11;
DELETE FROM bag WHERE t = BINARY 'A';
DELETE FROM bag WHERE t IS NULL AND f IS NULL LIMIT 1;
UPDATE bag SET t = 'other' WHERE u = 'u';
INSERT INTO bag (t, f, n) VALUES ('new', 0.1, 1.50), ('new', 0.1, 1.5), ('it''s', 1e30, -1.5);
DELETE FROM bag WHERE f > 100000000 OR ABS(f - 1.000004) < 0.000001;
DELETE FROM bag WHERE f > 100000 LIMIT 1;
UPDATE reals SET t = 'changed' WHERE f < 1;
UPDATE reals SET g = 2.5 WHERE f = 1.5;
UPDATE reals SET g = NULL WHERE f = 7;
DELETE FROM reals WHERE f > 8;
DELETE FROM one WHERE t = '' OR t = BINARY 'X';
INSERT INTO one VALUES (NULL), ('x');
";

/// Equal rows of a table without a key are counted, and statements make them as many.
fn rows_without_a_key_become_the_targets(server: &Server, temp: &Path) {
    let at = |name: &str| temp.join(name);
    fs::write(at("bag.sql"), format!("SET sql_mode='';{BAG}")).unwrap();
    fs::write(at("change.sql"), BAG_CHANGE).unwrap();
    for database in ["bag", "more"] {
        server.make(database, &at("bag.sql"));
    }
    server.run(&["more"], &at("change.sql"));
    let base = server.dump("bag", at("a.sql"));
    let target = server.dump("more", at("b.sql"));
    for (database, from, to) in [("bag", &base, &target), ("more", &target, &base)] {
        let patch = at(&format!("{database}.mpatch"));
        let made = mdiff(["patch", "-q", "-o"]).args([&patch, from, to]).run();
        made.exits(0);
        let statements = mdiff(["cat", "--format", "sql"]).args([&patch]).run();
        fs::write(at("patch.sql"), statements.exits(0).stdout_bytes).unwrap();
        server.run(
            &["--init-command=SET sql_mode=''", database],
            &at("patch.sql"),
        );
        let after = server.dump(database, at("after.sql"));
        mdiff(["compare", "-qq"]).args([&after, to]).run().exits(0);
        // Digits of a float that no dump shows are kept where it did not change.
        let kept = "SELECT COUNT(*) FROM reals WHERE ABS(g - 123456.7890625e0) < 1e-6";
        let mut told = server.client("mariadb", &["-N", database, "-e", kept]);
        assert_eq!(told.output().unwrap().stdout, b"1\n");
        // The same rows, whatever we make of them: only where they lie differs.
        let rows = |path: &Path| {
            let dump = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
            let inserts = dump.lines().filter(|line| line.starts_with("INSERT"));
            let tuples = inserts.flat_map(|line| line.trim_end_matches(';').split("),("));
            let mut rows: Vec<String> = tuples
                .map(|row| row.split_once("VALUES (").map_or(row, |(_, row)| row))
                .map(|row| row.trim_end_matches(')').to_owned())
                .collect();
            rows.sort();
            rows
        };
        assert_eq!(rows(&after), rows(to));
    }
}

/// The same statements, where there is no server to run them: they were seen to do what they should, the second ones by MySQL 9.7.
#[test]
fn statements_are_those_that_the_server_took() {
    let temp = tempfile::tempdir().unwrap();
    for (base, target, taken) in [
        ("base.sql", "target.sql", "patch.sql"),
        (
            "mysql-9.7/dumps/plain.sql.gz",
            "mysql-9.7/target.sql.gz",
            "mysql-9.7/patch.sql",
        ),
        (
            "mysql-9.7/dumps/hex-blob.xml.gz",
            "mysql-9.7/target.sql.gz",
            "mysql-9.7/patch.sql",
        ),
    ] {
        let file = |name: &str| testdata("mysql").join(name);
        let patch = temp.path().join("p.mpatch");
        let made =
            mdiff(["patch", "-q", "--force", "-o"]).args([&patch, &file(base), &file(target)]);
        made.run().exits(0);
        let taken = fs::read_to_string(file(taken)).unwrap();
        let statements = mdiff(["cat", "--format", "sql"]).args([&patch]).run();
        statements.exits(0).prints_exactly(&taken);
    }
}
