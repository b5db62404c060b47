//! The man pages, made from the definitions of the arguments. `tests/man.rs` holds `man/` to them.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::Args;

use super::exit::Exit;
use super::output::Output;
use crate::error::{Error, Result};

/// Arguments of `mdiff man`, which packagers use.
#[derive(Debug, Clone, Args)]
#[command(about = "Writes the man pages into a folder")]
pub struct ManArgs {
    /// The folder
    pub folder: PathBuf,
}

/// Runs `mdiff man`.
///
/// # Errors
///
/// I/O.
pub fn run(args: &ManArgs, out: &mut Output) -> Result<Exit> {
    let pages = pages().map_err(|e| Error::io("making pages for", &args.folder, e))?;
    for (name, page) in pages {
        let path = args.folder.join(name);
        fs::write(&path, page).map_err(|e| Error::io("writing", &path, e))?;
        out.line(path.display().to_string())?;
    }
    Ok(Exit::DONE)
}

/// The pages: file names (`mdiff.1`, `mdiff-build.1`) and contents. No dates: a page is a function of the definitions.
///
/// # Errors
///
/// Those of writing to memory.
pub fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = super::command().disable_help_subcommand(true);
    command.build();
    let mut pages = vec![page(&command)?];
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        pages.push(page(sub)?);
    }
    Ok(pages)
}

fn page(command: &clap::Command) -> io::Result<(String, Vec<u8>)> {
    let man = clap_mangen::Man::new(command.clone()).manual("mdiff manual");
    let mut page = Vec::new();
    man.render(&mut page)?;
    Ok((man.get_filename(), page))
}
