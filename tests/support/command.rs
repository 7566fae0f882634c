//! The program `yijia`, run within the process of a test.

use std::{
    ffi::OsString,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use api::cli::output::Output;

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Exit code.
    pub code: u8,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs `yijia` with these arguments on a thread of its own, because it brings its own runtime.
///
/// # Errors
/// The command panicked.
pub async fn yijia(args: &[&str]) -> anyhow::Result<Ran> {
    let args: Vec<OsString> = ["yijia"].iter().chain(args).map(OsString::from).collect();
    let (out, err) = (Captured::default(), Captured::default());
    let mut output = Output::new(out.clone(), err.clone());
    let code = tokio::task::spawn_blocking(move || api::cli::run_with(args, &mut output)).await?;
    Ok(Ran { code, out: out.text(), err: err.text() })
}
