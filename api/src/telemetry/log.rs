//! JSON lines on standard error.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::settings::LogFilter;

/// Lines that wait for a slow reader before further ones are dropped.
const WAITING_LINES: usize = 16_384;

/// Keeps the log's writer alive and counts what it lost. Dropping it writes the lines that still wait.
#[derive(Debug)]
pub struct LogGuard {
    lost: Lost,
    _worker: WorkerGuard,
}

/// Lines that did not reach standard error.
#[derive(Debug, Clone)]
pub(super) struct Lost {
    /// No place left: the reader is too slow.
    queue: ErrorCounter,
    /// The write failed: nobody reads, or the disk is full.
    writes: Arc<AtomicU64>,
}

impl Lost {
    /// How many lines were lost so far.
    pub(super) fn count(&self) -> u64 {
        let queue = u64::try_from(self.queue.dropped_lines()).unwrap_or(u64::MAX);
        queue.saturating_add(self.writes.load(Ordering::Relaxed))
    }
}

impl LogGuard {
    pub(super) fn lost(&self) -> Lost {
        self.lost.clone()
    }
}

/// A writer that never fails: what cannot be written is counted.
struct Forgiving<W> {
    inner: W,
    lost: Arc<AtomicU64>,
}

impl<W: Write> Write for Forgiving<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.inner.write_all(line).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // A failed flush loses nothing that was not counted: standard error has no buffer.
        self.inner.flush().or(Ok(()))
    }
}

/// Begins to log to standard error. Call once per process.
///
/// # Errors
/// Another log was begun before.
pub fn init(filter: &LogFilter) -> anyhow::Result<LogGuard> {
    init_to(filter, io::stderr())
}

/// As [`init`], to another writer.
///
/// # Errors
/// Another log was begun before.
pub fn init_to(filter: &LogFilter, writer: impl Write + Send + 'static) -> anyhow::Result<LogGuard> {
    let failed = Arc::new(AtomicU64::new(0));
    let writer = Forgiving { inner: writer, lost: Arc::clone(&failed) };
    let (writer, worker) = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(WAITING_LINES).thread_name("log").finish(writer);
    let lost = Lost { queue: writer.error_counter(), writes: failed };
    let lines =
        tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false).with_writer(writer);
    tracing_subscriber::registry().with(lines.with_filter(filter.targets())).try_init()?;
    Ok(LogGuard { lost, _worker: worker })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _line: &[u8]) -> io::Result<usize> {
            Err(io::Error::from(io::ErrorKind::BrokenPipe))
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::Error::from(io::ErrorKind::BrokenPipe))
        }
    }

    #[test]
    fn a_closed_log_counts_its_lines_and_fails_nobody() {
        let lost = Arc::new(AtomicU64::new(0));
        let mut writer = Forgiving { inner: Closed, lost: Arc::clone(&lost) };
        for _ in 0..3 {
            assert_eq!(writer.write(b"line\n").unwrap(), 5);
        }
        writer.flush().unwrap();
        assert_eq!(lost.load(Ordering::Relaxed), 3);
    }
}
