//! The binary `mho`.

fn main() -> std::process::ExitCode {
    mho_data::memory::keep_freed();
    mho_pipeline::cli::main()
}
