//! The whole way with a real server: dump two databases, diff, patch, let psql run the patch on a copy, dump that: the target's roots.

use crate::common::{mdiff, skipped, testdata};
use crate::model::roots;
use crate::pg_server::Server;

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
