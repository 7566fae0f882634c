//! Where commands write. A reader that goes away changes neither what a command does nor how it ends; nothing here
//! can panic.

use std::{
    fmt,
    io::{self, ErrorKind, IsTerminal as _, Write},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::failure::Failure;

/// Standard output and standard error, or what stands for them in a test.
pub struct Output {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    closed: bool,
    /// Whether somebody sees the bars of progress.
    shows_progress: bool,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").finish_non_exhaustive()
    }
}

impl Output {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self { shows_progress: io::stderr().is_terminal(), ..Self::new(io::stdout(), io::stderr()) }
    }

    /// Any two writers.
    pub fn new(out: impl Write + Send + 'static, err: impl Write + Send + 'static) -> Self {
        Self { out: Box::new(out), err: Box::new(err), closed: false, shows_progress: false }
    }

    /// Writes data as it is. Once nobody reads any more nothing is written and nothing fails, so that the command
    /// ends with its own verdict; [`Self::is_closed`] tells.
    ///
    /// # Errors
    /// [`Failure::Refused`] when the write fails.
    pub fn text(&mut self, text: &str) -> Result<(), Failure> {
        if self.closed {
            return Ok(());
        }
        match self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()) {
            Ok(()) => Ok(()),
            Err(cause) if cause.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(cause) => Err(Failure::refused(format!("standard output cannot be written: {cause}"))),
        }
    }

    /// Whether the reader of standard output has gone, as far as a write has told.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Writes one line.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn line(&mut self, line: impl fmt::Display) -> Result<(), Failure> {
        self.text(&format!("{line}\n"))
    }

    /// Writes one line of JSON.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text =
            serde_json::to_string(value).map_err(|cause| Failure::refused(format!("the result cannot be written as JSON: {cause}")))?;
        self.line(text)
    }

    /// A bar of so many steps or bytes, which shows itself on a terminal only.
    #[must_use]
    pub fn bar(&self, steps: u64, what: &'static str) -> ProgressBar {
        if !self.shows_progress {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(steps).with_message(what);
        match ProgressStyle::with_template("{msg} [{bar:40}] {percent} % {eta}") {
            Ok(style) => bar.with_style(style.progress_chars("=> ")),
            Err(_faulty) => bar,
        }
    }

    /// As [`Self::bar`], where it is learnt on the way how many steps there are: told how many are done, of how many.
    pub fn steps(&self, what: &'static str) -> impl Fn(u32, u32) + Send + use<> {
        let bar = self.bar(0, what);
        move |done, all| {
            bar.set_length(all.into());
            bar.set_position(done.into());
            if done >= all {
                bar.finish();
            }
        }
    }

    /// A sign of life where nobody knows how long it takes; on a terminal only.
    #[must_use]
    pub fn spinner(&self, what: &'static str) -> ProgressBar {
        if !self.shows_progress {
            return ProgressBar::hidden();
        }
        let spinner = ProgressBar::new_spinner().with_message(what);
        spinner.enable_steady_tick(Duration::from_millis(120));
        spinner
    }

    /// Tells something that is not data. Whether anybody listens changes nothing.
    pub fn complain(&mut self, line: impl fmt::Display) {
        // A command that can tell nobody about its failure still has its exit code.
        drop(writeln!(self.err, "{line}").and_then(|()| self.err.flush()));
    }
}
