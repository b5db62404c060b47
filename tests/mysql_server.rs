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
}

/// The same statements, where there is no server to run them: they were seen to do what they should.
#[test]
fn statements_are_those_that_the_server_took() {
    let temp = tempfile::tempdir().unwrap();
    let patch = temp.path().join("p.mpatch");
    let sides = [testdata("mysql/base.sql"), testdata("mysql/target.sql")];
    mdiff(["patch", "-q"])
        .args(&sides)
        .args(["-o".as_ref(), patch.as_os_str()])
        .run()
        .exits(0);
    let taken = fs::read_to_string(testdata("mysql/patch.sql")).unwrap();
    mdiff(["cat", "--format", "sql"])
        .args([&patch])
        .run()
        .exits(0)
        .prints_exactly(&taken);
}
