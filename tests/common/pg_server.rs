//! A PostgreSQL server for tests and benchmarks, where one is installed.
#![allow(dead_code)] // each user uses a part of it

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Whom the server runs as: it refuses to be root.
const NOBODY: u32 = 65534;

/// A server of our own on a socket in a folder of its own.
pub struct Server {
    folder: tempfile::TempDir,
    bin: PathBuf,
    process: Option<Child>,
}

impl Server {
    /// Starts one; `None` where none is installed.
    pub fn start() -> Option<Server> {
        let bin = bin()?;
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

    /// Its folder, which it may write to.
    pub fn path(&self) -> &Path {
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

    /// Whether a tool succeeds.
    pub fn runs(&self, tool: &str, args: &[&str]) -> bool {
        self.command(tool)
            .args(args)
            .output()
            .is_ok_and(|ran| ran.status.success())
    }

    /// Runs a tool that must succeed.
    pub fn run(&self, tool: &str, args: &[&str]) {
        let ran = self.command(tool).args(args).output().unwrap();
        assert!(ran.status.success(), "{tool} {args:?}: {ran:?}");
    }

    /// Runs statements on a database; the first error fails.
    pub fn sql(&self, database: &str, script: &Path) {
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
    pub fn dump(&self, database: &str, name: &str, options: &[&str]) -> PathBuf {
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

/// The folder of the server and its tools, where all of them are.
pub fn bin() -> Option<PathBuf> {
    let mut places: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    places.extend(
        std::fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .map(|version| version.unwrap().path().join("bin")),
    );
    places.into_iter().find(|bin| {
        let tools = [
            "initdb",
            "postgres",
            "psql",
            "pg_dump",
            "pg_restore",
            "createdb",
        ];
        tools.iter().all(|tool| bin.join(tool).is_file())
    })
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}
