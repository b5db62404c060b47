//! The whole way with a real server: dump two databases, diff, patch, let psql run the patch on a copy, dump that: the target's roots.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{mdiff, skipped, testdata};
use crate::model::roots;

/// Whom the server runs as: it refuses to be root.
const NOBODY: u32 = 65534;

/// A server of our own on a socket in a folder of its own.
struct Server {
    folder: tempfile::TempDir,
    bin: PathBuf,
    process: Option<Child>,
}

impl Server {
    /// Starts one; `None` where none is installed.
    fn start() -> Option<Server> {
        let mut places: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
        places.extend(
            std::fs::read_dir("/usr/lib/postgresql")
                .into_iter()
                .flatten()
                .map(|version| version.unwrap().path().join("bin")),
        );
        let has_all = |bin: &PathBuf| {
            let tools = ["initdb", "postgres", "psql", "pg_dump", "createdb"];
            tools.iter().all(|tool| bin.join(tool).is_file())
        };
        let bin = places.into_iter().find(has_all)?;
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server {
            folder,
            bin,
            process: None,
        };
        if is_root() {
            std::os::unix::fs::chown(server.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let data = server.path().join("data");
        let made = server
            .command("initdb")
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync", "-D"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let process = server
            .command("postgres")
            .args(["-F", "-c", "listen_addresses=", "-k"])
            .arg(server.path())
            .arg("-D")
            .arg(&data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        server.process = Some(process);
        let begin = Instant::now();
        while !server.runs("psql", &["-c", "SELECT 1", "postgres"]) {
            assert!(begin.elapsed() < Duration::from_secs(60), "no server");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(server)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, tool: &str) -> Command {
        let mut command = Command::new(self.bin.join(tool));
        command
            .current_dir(self.path())
            .env("PGHOST", self.path())
            .env("PGUSER", "postgres")
            .env("TZ", "UTC")
            .env_remove("PGDATABASE");
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    fn runs(&self, tool: &str, args: &[&str]) -> bool {
        self.command(tool)
            .args(args)
            .output()
            .is_ok_and(|ran| ran.status.success())
    }

    /// Runs a tool that must succeed.
    fn run(&self, tool: &str, args: &[&str]) {
        let ran = self.command(tool).args(args).output().unwrap();
        assert!(ran.status.success(), "{tool} {args:?}: {ran:?}");
    }

    /// Runs statements on a database; the first error fails.
    fn sql(&self, database: &str, script: &Path) {
        let text = std::fs::read(script).unwrap();
        let here = self.path().join("script.sql");
        std::fs::write(&here, text).unwrap();
        let here = here.to_str().unwrap();
        self.run(
            "psql",
            &["-Xq", "-v", "ON_ERROR_STOP=1", "-f", here, database],
        );
    }

    /// Dumps a database to a file (or a folder) of this name.
    fn dump(&self, database: &str, name: &str, options: &[&str]) -> PathBuf {
        let path = self.path().join(name);
        let mut args = options.to_vec();
        args.extend(["-f", path.to_str().unwrap(), database]);
        self.run("pg_dump", &args);
        path
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

#[test]
fn psql_makes_the_base_equal_to_the_target() {
    let Some(server) = Server::start() else {
        skipped("no PostgreSQL server is installed: patches are not run by psql");
        return;
    };
    let file = |name: &str| testdata("postgres").join(name);
    for database in ["left", "right"] {
        server.run("createdb", &[database]);
        server.sql(database, &file("made.sql"));
    }
    server.sql("right", &file("change.sql"));
    server.run("createdb", &["-T", "left", "copy"]);

    let left = server.dump("left", "left.sql", &[]);
    let right = server.dump("right", "right.custom", &["-Fc"]);
    assert_eq!(roots(&left, &[]), roots(&file("left.sql"), &[]));
    let patch = server.path().join("fix.mpatch");
    mdiff(["patch", "-q", "-o"])
        .args([&patch, &left, &right])
        .run()
        .exits(0);
    let statements = mdiff(["cat", "--format", "sql"])
        .args([&patch])
        .run()
        .exits(0);
    let script = server.path().join("fix.sql");
    std::fs::write(&script, &statements.stdout_bytes).unwrap();
    server.sql("copy", &script);

    let wanted = roots(&right, &[]);
    assert_ne!(roots(&left, &[]), wanted);
    for (name, options) in [
        ("copy.sql", &[][..]),
        ("copy.inserts.sql", &["--inserts"]),
        ("copy.dir", &["-Fd"]),
        ("copy.tar", &["-Ft"]),
    ] {
        let copy = server.dump("copy", name, options);
        assert_eq!(roots(&copy, &[]), wanted, "{name}");
    }
    // All of a patch is done or nothing: on a base that it does not fit, nothing is.
    let before = roots(&left, &[]);
    let here = script.to_str().unwrap();
    server.run(
        "psql",
        &["-c", "INSERT INTO empty_table VALUES (1)", "left"],
    );
    assert!(!server.runs(
        "psql",
        &["-Xq", "-v", "ON_ERROR_STOP=1", "-f", here, "left"]
    ));
    server.run("psql", &["-c", "DELETE FROM empty_table", "left"]);
    let left = server.dump("left", "left.again.sql", &[]);
    assert_eq!(roots(&left, &[]), before);
}
