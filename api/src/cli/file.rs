//! Files of commands: read whole, written whole or not at all.

use std::{
    ffi::OsString,
    fs::{File, Metadata, Permissions},
    io::{self, Read as _, Write as _},
    os::{
        fd::AsFd as _,
        unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
};

use super::failure::Failure;

/// The whole content of a file, or of standard input for `-`.
///
/// # Errors
/// [`Failure::BadData`] naming the file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let content = if is_standard_input(path) {
        let mut content = Vec::new();
        io::stdin().lock().read_to_end(&mut content).map(|_length| content)
    } else {
        std::fs::read(path)
    };
    content.map_err(|cause| {
        Failure::bad_data(format!("{} cannot be read: {cause}; name a readable file, or - for standard input", name(path)))
    })
}

/// How messages call a file.
pub(super) fn name(path: &Path) -> String {
    if is_standard_input(path) { "(standard input)".to_owned() } else { path.display().to_string() }
}

fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Writes a result to a file: to a new file beside it first, which takes its place when it is complete and on
/// the disk. A file that exists keeps its mode and the links to it; a new one is for its owner alone. The input is
/// never overwritten.
///
/// # Errors
/// [`Failure::Refused`] when the target is the input, is no ordinary file, or cannot be written.
pub(super) fn write(target: &Path, input: &Path, content: &str) -> Result<(), Failure> {
    let input = if is_standard_input(input) { standard_input() } else { std::fs::metadata(input) };
    write_apart(target, input.ok().as_ref(), content)
}

fn standard_input() -> io::Result<Metadata> {
    File::from(io::stdin().as_fd().try_clone_to_owned()?).metadata()
}

/// As [`write`], away from the file that `input` describes.
fn write_apart(target: &Path, input: Option<&Metadata>, content: &str) -> Result<(), Failure> {
    let refuse = |reason: &str| Failure::refused(format!("{} is not written: {reason}", target.display()));
    let (place, mode) = match std::fs::metadata(target) {
        Ok(found) if !found.is_file() => return Err(refuse("it is no ordinary file; leave --out away to write to standard output")),
        Ok(found) if input.is_some_and(|input| is_same(&found, input)) => return Err(refuse("it is the input; choose another file")),
        Ok(found) => {
            let place = target.canonicalize().map_err(|cause| refuse(&format!("{cause}; choose another file")))?;
            (place, found.permissions())
        }
        Err(_) if target.is_symlink() => return Err(refuse("it is a link to nothing that can be found; name the file itself")),
        Err(_) => (target.to_owned(), Permissions::from_mode(0o600)),
    };
    let beside = beside(&place).ok_or_else(|| refuse("it has no name; name a file"))?;
    replace(&place, &beside, mode, content).map_err(|cause| refuse(&format!("{cause}; choose a writable place")))?;
    sync_folder(&place).map_err(|cause| {
        Failure::refused(format!("{} is written, but may not outlast a power failure: its folder: {cause}", target.display()))
    })
}

/// Whether both describe one file, under whatever names.
fn is_same(target: &Metadata, input: &Metadata) -> bool {
    (target.dev(), target.ino()) == (input.dev(), input.ino())
}

fn beside(target: &Path) -> Option<PathBuf> {
    let mut name = OsString::from(".");
    name.push(target.file_name()?);
    name.push(format!(".{}.new", std::process::id()));
    Some(target.with_file_name(name))
}

fn replace(target: &Path, beside: &Path, mode: Permissions, content: &str) -> io::Result<()> {
    let file = File::options().write(true).create_new(true).mode(0o600).open(beside)?;
    let replaced = fill(file, mode, content).and_then(|()| std::fs::rename(beside, target));
    if replaced.is_err() {
        // What is left of the new file is of no use; the target is as it was.
        drop(std::fs::remove_file(beside));
    }
    replaced
}

fn fill(mut file: File, mode: Permissions, content: &str) -> io::Result<()> {
    file.write_all(content.as_bytes())?;
    file.set_permissions(mode)?;
    file.sync_all()
}

fn sync_folder(target: &Path) -> io::Result<()> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_replaces_its_target_whole_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let (input, target) = (dir.path().join("in.csv"), dir.path().join("out.csv"));
        std::fs::write(&input, "in").unwrap();
        std::fs::write(&target, "old").unwrap();
        write(&target, &input, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn the_input_folders_and_devices_are_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let input = dir.path().join("in.csv");
        std::fs::write(&input, "in").unwrap();
        let roundabout = dir.path().join(".").join("in.csv");
        for target in [roundabout.as_path(), dir.path(), Path::new("/dev/null"), &dir.path().join("no/out.csv"), Path::new("..")] {
            assert_eq!(write(target, &input, "new").unwrap_err().exit_code(), 1, "{}", target.display());
        }
        assert_eq!(std::fs::read_to_string(&input).unwrap(), "in");
    }

    #[test]
    fn a_file_that_is_not_there_is_bad_data() {
        assert_eq!(read(Path::new("no/such/file")).unwrap_err().exit_code(), 65);
    }

    #[test]
    fn the_file_behind_standard_input_is_not_overwritten_under_any_name() {
        let dir = tempfile::tempdir().unwrap();
        let (input, other_name) = (dir.path().join("in.csv"), dir.path().join("same.csv"));
        std::fs::write(&input, "in").unwrap();
        std::fs::hard_link(&input, &other_name).unwrap();
        let redirected = File::open(&input).unwrap().metadata().unwrap();
        for target in [&input, &other_name] {
            assert_eq!(write_apart(target, Some(&redirected), "new").unwrap_err().exit_code(), 1);
        }
        assert_eq!(std::fs::read_to_string(&input).unwrap(), "in");
    }

    #[test]
    fn a_target_keeps_its_mode_and_a_new_one_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out.csv");
        let mode = || std::fs::metadata(&target).unwrap().permissions().mode() & 0o7777;
        write_apart(&target, None, "new").unwrap();
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(&target, Permissions::from_mode(0o664)).unwrap();
        write_apart(&target, None, "newer").unwrap();
        assert_eq!(mode(), 0o664);
    }

    #[test]
    fn a_link_stays_and_what_it_names_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link, dangling) = (dir.path().join("real.csv"), dir.path().join("link.csv"), dir.path().join("dangling.csv"));
        std::fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink("real.csv", &link).unwrap();
        std::os::unix::fs::symlink("no/where.csv", &dangling).unwrap();
        write_apart(&link, None, "new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "new");
        assert_eq!(write_apart(&dangling, None, "new").unwrap_err().exit_code(), 1);
    }
}
