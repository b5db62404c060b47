//! What every command promises at the command line: exit codes, streams, colour. Run on the real binary.

mod common;

use common::mdiff;

const COMMANDS: [&str; 10] = [
    "build",
    "compare",
    "diff",
    "patch",
    "apply",
    "verify",
    "convert",
    "cat",
    "info",
    "completions",
];

#[test]
fn every_help_has_examples_first_and_the_table_of_exit_codes() {
    for args in std::iter::once(vec!["--help"]).chain(COMMANDS.map(|name| vec![name, "--help"])) {
        let help = mdiff(&args).run().exits(0).tells_nothing().stdout;
        let place = |text: &str| {
            help.find(text)
                .unwrap_or_else(|| panic!("{args:?}: no {text:?}"))
        };
        assert!(place("Examples:") < place("Usage:"), "{args:?}");
        assert!(place("Exit codes:") > place("Options:"), "{args:?}");
        place("treat any code >= 2 that you do not know as a failure");
    }
}

#[test]
fn short_help_is_short() {
    for name in COMMANDS {
        let help = mdiff([name, "-h"]).run().exits(0).stdout;
        assert!(!help.contains("Examples:"), "{name}");
        assert!(
            help.lines().count() < 70,
            "{name}: {} lines",
            help.lines().count()
        );
    }
}

#[test]
fn unknown_flags_commands_and_values_are_usage_errors() {
    for args in [
        &["--frobnicate"][..],
        &["frobnicate"],
        &["cat", "--frobnicate", "x"],
        &["cat", "x", "--cap", "frobs=1"],
        &["build", "x", "--leaf-rows", "0"],
        &["build", "x", "--hash", "md5"],
        &["compare", "one"],
        &["patch", "base"],
        &["patch", "--invert", "p"],
        &["apply", "base", "patch"],
        &["diff", "a", "b", "--json", "--csv"],
        &["diff", "a", "b", "--trees", "a.mtree"],
        &["cat", "x", "--from", "a", "--prefix", "b"],
        &["completions", "tcsh2"],
    ] {
        mdiff(args).run().exits(2).prints_nothing().tells("error:");
    }
}

#[test]
fn no_command_at_all_is_a_usage_error_that_shows_the_commands() {
    let none: [&str; 0] = [];
    mdiff(none).run().exits(2).prints_nothing().tells("verify");
}

#[test]
fn a_file_that_is_not_there_is_named_and_exits_2() {
    let dir = tempfile::tempdir().unwrap();
    mdiff(["cat", "nowhere.csv"])
        .in_dir(&dir)
        .run()
        .exits(2)
        .prints_nothing()
        .tells("error: opening nowhere.csv");
}

#[test]
fn a_full_disk_behind_stdout_is_trouble() {
    for args in [&["--help"][..], &["--version"], &["completions", "bash"]] {
        mdiff(args)
            .stdout_to("/dev/full")
            .run()
            .exits(2)
            .tells("error: writing stdout: No space left on device");
    }
}

#[test]
fn a_reader_that_went_away_is_no_trouble() {
    for args in [&["--help"][..], &["completions", "bash"]] {
        let ran = mdiff(args).stdout_closed().run().tells_nothing();
        assert_eq!(ran.signal, Some(13), "SIGPIPE, as any filter: {ran:#?}");
    }
}

#[test]
fn closed_streams_at_the_start_are_no_crash() {
    let script = format!(
        "{} completions bash <&- >&- 2>&-",
        env!("CARGO_BIN_EXE_mdiff")
    );
    let status = std::process::Command::new("sh")
        .args(["-c", &script])
        .status()
        .unwrap();
    assert!(
        status.code().is_some_and(|code| code == 0 || code == 2),
        "{status}"
    );
}

#[test]
fn colour_only_where_it_is_wanted() {
    let help = |name: &str, value: &str| mdiff(["--help"]).env(name, value).run().stdout;
    assert!(!help("X", "").contains('\x1b'), "a pipe is no terminal");
    assert!(help("CLICOLOR_FORCE", "1").contains('\x1b'));
    let both = mdiff(["--help"])
        .env("CLICOLOR_FORCE", "1")
        .env("NO_COLOR", "1")
        .run();
    assert!(!both.stdout.contains('\x1b'));
    let error = mdiff(["cat", "/nowhere", "--color", "always"]).run().stderr;
    assert!(error.contains("\x1b["), "{error:?}");
    let error = mdiff(["cat", "/nowhere", "--color=never"])
        .env("CLICOLOR_FORCE", "1")
        .run()
        .stderr;
    assert!(!error.contains('\x1b'), "{error:?}");
}

#[test]
fn the_environment_gives_defaults_and_is_checked() {
    mdiff(["completions", "bash"])
        .env("MDIFF_THREADS", "2")
        .run()
        .exits(0);
    mdiff(["completions", "bash"])
        .env("MDIFF_THREADS", "many")
        .run()
        .exits(2)
        .tells("many");
    mdiff(["completions", "bash"])
        .env("MDIFF_NO_PROGRESS", "1")
        .run()
        .exits(0);
    mdiff([
        "completions",
        "bash",
        "-j",
        "0",
        "-q",
        "-v",
        "--progress=json",
    ])
    .run()
    .exits(0);
}

#[test]
fn twice_quiet_prints_no_result() {
    mdiff(["-qq", "completions", "bash"])
        .run()
        .exits(0)
        .prints_nothing()
        .tells_nothing();
}

#[test]
fn every_shell_gets_a_completion_script() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        mdiff(["completions", shell])
            .run()
            .exits(0)
            .prints("compare")
            .prints("leaf-rows");
    }
}

/// A run that waits to write: its stdout is a full pipe.
fn stuck(script: &str) -> (std::process::Child, std::io::PipeReader) {
    use std::io::Write;
    let (reader, mut writer) = std::io::pipe().unwrap();
    // A pipe holds 64 KiB. mdiff's first bytes find no room.
    writer.write_all(&vec![b' '; 64 << 10]).unwrap();
    let mut child = std::process::Command::new("sh")
        .args(["-c", script])
        .stdout(writer)
        .spawn()
        .unwrap();
    // Until the handlers are there, the default action gives the same end; so a short wait only makes the test stricter.
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(
        child.try_wait().unwrap().is_none(),
        "it ended before the signal"
    );
    (child, reader)
}

fn kill(child: &std::process::Child, signal: &str) {
    let pid = child.id().to_string();
    let status = std::process::Command::new("kill")
        .args([signal, &pid])
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn a_signal_ends_a_run_as_the_shell_expects() {
    use std::os::unix::process::ExitStatusExt;
    for (name, number) in [("-INT", 2), ("-TERM", 15), ("-HUP", 1)] {
        let script = format!("exec {} completions bash", env!("CARGO_BIN_EXE_mdiff"));
        let (mut child, _reader) = stuck(&script);
        kill(&child, name);
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(number), "{status}");
    }
}

#[test]
fn a_run_under_nohup_outlives_the_terminal() {
    let script = format!(
        "trap '' HUP; exec {} completions bash",
        env!("CARGO_BIN_EXE_mdiff")
    );
    let (mut child, mut reader) = stuck(&script);
    kill(&child, "-HUP");
    std::io::copy(&mut reader, &mut std::io::sink()).unwrap();
    let status = child.wait().unwrap();
    assert!(status.success(), "{status}");
}

#[test]
fn a_signal_leaves_no_litter() {
    use std::os::unix::process::ExitStatusExt;
    if !mdiff::source::FORMATS
        .iter()
        .any(|format| format.name == "csv")
    {
        eprintln!("SKIPPED: no source of delimited text is there to convert");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let rows: String = (0..1_000_000)
        .map(|i| format!("{i:09},a value\n"))
        .collect();
    std::fs::write(dir.path().join("in.csv"), format!("id,v\n{rows}")).unwrap();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_mdiff"))
        .args(["convert", "in.csv", "-o", "out.csv"])
        .current_dir(&dir)
        .spawn()
        .unwrap();
    let files = || std::fs::read_dir(&dir).unwrap().count();
    while files() == 1 {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it wrote"
        );
    }
    kill(&child, "-TERM");
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(15), "{status}");
    assert_eq!(files(), 1, "the input alone is left");
}
