//! The binary `mho`.

fn main() -> std::process::ExitCode {
    mho_pipeline::cli::main()
}
