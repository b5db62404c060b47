//! The `mdiff` command: everything it does is in the library, see `mdiff::cli`.

fn main() -> std::process::ExitCode {
    mdiff::cli::main()
}
