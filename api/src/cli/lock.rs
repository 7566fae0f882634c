//! Keeps a second copy of the program away from an embedded database.

use std::{
    fs::{File, TryLockError},
    io::{Seek as _, Write as _},
    path::Path,
};

use super::failure::Failure;

/// A lock that lasts as long as this value, or until the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a file, which is made if need be; `task` says what the holder does.
    ///
    /// # Errors
    /// [`Failure::Refused`] when another process holds it, [`Failure::Configuration`] when the file cannot be
    /// made.
    pub fn take(path: &Path, task: &str) -> Result<Self, Failure> {
        let unusable = |cause: std::io::Error| {
            Failure::configuration(format!(
                "the lock file {} cannot be used: {cause}; make its folder writable for this user",
                path.display()
            ))
        };
        let mut file = File::options().create(true).truncate(false).read(true).write(true).open(path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = std::fs::read_to_string(path).unwrap_or_default();
                let reason = format!(
                    "another copy of this program ({}) holds {}; stop it first, or choose another --dir",
                    holder.trim(),
                    path.display()
                );
                return Err(Failure::refused(reason));
            }
            Err(TryLockError::Error(cause)) => return Err(unusable(cause)),
        }
        let text = format!("process {}, {task}\n", std::process::id());
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes())).map_err(unusable)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_copy_is_refused_until_the_first_has_ended() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = Lock::take(&path, "serve").unwrap();
        let Err(Failure::Refused(lines)) = Lock::take(&path, "serve") else { panic!("the second copy was let in") };
        assert!(lines[0].contains(&format!("process {}, serve", std::process::id())), "{lines:?}");
        drop(first);
        Lock::take(&path, "serve").unwrap();
        assert_eq!(Lock::take(&dir.path().join("no/lock"), "serve").unwrap_err().exit_code(), 78);
    }
}
