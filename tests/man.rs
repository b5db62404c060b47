//! `man/` holds the pages that the definitions of the arguments give, and these name every flag.

use std::fs;
use std::path::Path;

const FIX: &str = "run: MDIFF_REGENERATE=1 cargo test --test man";

#[test]
fn the_man_pages_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let pages = mdiff::cli::man::pages().unwrap();
    if std::env::var_os("MDIFF_REGENERATE").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for (name, page) in &pages {
            fs::write(folder.join(name), page).unwrap();
        }
    }
    for (name, page) in &pages {
        let found = fs::read(folder.join(name)).unwrap_or_default();
        assert!(found == *page, "man/{name} is not current; {FIX}");
    }
    for file in fs::read_dir(&folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".1") {
            let known = pages.iter().any(|(page, _)| *page == name);
            assert!(known, "man/{name} is the page of no command; remove it");
        }
    }
}

#[test]
fn every_flag_and_exit_code_is_in_its_page() {
    let mut command = mdiff::cli::command();
    command.build();
    let pages = mdiff::cli::man::pages().unwrap();
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        if sub.get_name() == "help" {
            continue;
        }
        let name = format!("mdiff-{}.1", sub.get_name());
        let (_, page) = pages.iter().find(|(page, _)| *page == name).unwrap();
        let page = String::from_utf8_lossy(page).replace('\\', "");
        for long in sub.get_arguments().filter_map(|arg| arg.get_long()) {
            assert!(
                page.contains(&format!("--{long}")),
                "{name}: no --{long}; {FIX}"
            );
        }
        assert!(page.contains("128+N"), "{name}: no exit codes");
    }
}

#[test]
fn the_page_on_cassandra_names_its_flags() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let page = fs::read_to_string(folder.join("mdiff-cassandra.7")).unwrap();
    let mut command = mdiff::cli::command();
    command.build();
    let mut named = 0;
    for arg in command
        .get_subcommands()
        .flat_map(|sub| sub.get_arguments())
    {
        let help = arg.get_help().unwrap_or_default().to_string();
        if help.starts_with("Cassandra: ") {
            let long = format!("--{}", arg.get_long().unwrap());
            assert!(
                page.contains(&long),
                "mdiff-cassandra.7 has nothing of {long}"
            );
            named += 1;
        }
    }
    assert!(named > 10);
}
