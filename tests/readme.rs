//! What the README shows is what happens: its `console` blocks run in a copy of `testdata/demo`, and must print what they show.
//!
//! A line `$ mdiff ...` is a command; the lines behind it are its stdout, to the letter. `$ echo $?` shows the exit code before.

mod common;

use std::fs;
use std::path::Path;

use common::mdiff;

/// A command and what the README says it prints.
struct Example {
    command: String,
    shown: String,
}

fn examples(readme: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let blocks = readme
        .split("```console\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    for line in blocks.flat_map(str::lines) {
        match (line.strip_prefix("$ "), examples.last_mut()) {
            (Some(command), _) => examples.push(Example {
                command: command.to_owned(),
                shown: String::new(),
            }),
            (None, Some(last)) => {
                last.shown.push_str(line);
                last.shown.push('\n');
            }
            (None, None) => panic!("output before the first command: {line}"),
        }
    }
    examples
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let to = to.join(file.file_name());
        match file.path().is_dir() {
            true => copy_all(&file.path(), &to),
            false => drop(fs::copy(file.path(), to).unwrap()),
        }
    }
}

#[test]
fn the_readme_shows_what_happens() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    copy_all(&root.join("testdata/demo"), folder.path());
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let examples = examples(&readme);
    assert!(examples.len() >= 10, "the README lost its examples");
    let mut code = None;
    for example in examples {
        let printed = if example.command == "echo $?" {
            format!("{}\n", code.expect("a command before"))
        } else {
            let words = example
                .command
                .strip_prefix("mdiff ")
                .expect("a command of mdiff");
            let ran = mdiff(words.split_whitespace()).in_dir(folder.path()).run();
            code = ran.code;
            ran.stdout
        };
        assert_eq!(printed, example.shown, "after: $ {}", example.command);
    }
}
