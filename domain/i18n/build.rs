//! Makes cargo rebuild this package when a text changes: the catalogue is compiled in by a macro, which cargo
//! cannot see reading files.

fn main() {
    println!("cargo::rerun-if-changed=locales");
}
