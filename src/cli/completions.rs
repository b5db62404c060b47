//! `mdiff completions`: scripts that complete commands and flags in a shell.

use clap::Args;
use clap_complete::Shell;

use super::exit::Exit;
use super::output::Output;
use crate::error::Result;

const LONG: &str = "\
Prints the script that completes mdiff's commands and flags in a shell.

Examples:
  bash, for this user:
    mdiff completions bash > ~/.local/share/bash-completion/completions/mdiff

  zsh, into a folder of $fpath:
    mdiff completions zsh > ~/.zfunc/_mdiff

  fish:
    mdiff completions fish > ~/.config/fish/completions/mdiff.fish";

/// Arguments of `mdiff completions`.
#[derive(Debug, Clone, Args)]
#[command(about = "Prints the completion script of a shell", long_about = LONG)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// Runs `mdiff completions`.
///
/// # Errors
///
/// I/O.
pub fn run(args: &CompletionsArgs, out: &mut Output) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "mdiff", &mut script);
    out.bytes(&script)?;
    Ok(Exit::DONE)
}
