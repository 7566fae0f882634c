//! The folder of a demo city: made whole or not at all, thrown away only when it is surely a demo city.

#[cfg(test)]
mod tests;

use std::{
    fs::{self, DirEntry},
    future::Future,
    io,
    path::{Path, PathBuf},
};

use sea_orm::{ConnectOptions, ConnectionTrait as _, DbBackend, Statement};
use store::{CityMode, seed::Answers};

use super::Demo;
use crate::cli::{failure::Failure, lock::Lock};

/// Every file that a demo city's folder can hold. What tells that it is one goes last, so that a removal that was
/// cut short can be taken up again.
const FILES: [&str; 11] = [
    "yijia.db",
    "yijia.db-wal",
    "yijia.db-shm",
    "yijia.db-journal",
    "keys.json",
    "lock",
    "lock-work",
    ANSWERS,
    ANSWERS_SHEET,
    MARK,
    LOGINS,
];
/// Files with the planted frauds.
const ANSWERS: &str = "answers.json";
const ANSWERS_SHEET: &str = "answers.csv";
/// File that marks a demo city's folder, with its logins.
const LOGINS: &str = "demo.json";
/// Locked file that marks a folder as one that a process is building.
const MARK: &str = "building";

/// Where a demo city lies or shall lie.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    /// As the command line names it, for messages.
    named: PathBuf,
    /// Absolute, without `.`, links or a slash at the end.
    path: PathBuf,
    parent: PathBuf,
    name: String,
}

impl Folder {
    /// Finds out which folder a path means.
    ///
    /// # Errors
    /// A path without a name, with a name that is not UTF-8, or to something that is no folder.
    pub(super) fn of(named: &Path) -> Result<Self, Failure> {
        let unusable =
            |why: &str| Failure::configuration(format!("the folder {} cannot be used: {why}; choose another --dir", named.display()));
        let path = match fs::canonicalize(named) {
            Ok(path) if path.is_dir() => path,
            Ok(_) => return Err(unusable("it is no folder")),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => of_missing(named).map_err(|cause| unusable(&cause.to_string()))?,
            Err(cause) => return Err(unusable(&cause.to_string())),
        };
        let name = path.file_name().ok_or_else(|| unusable("it has no name"))?.to_str().ok_or_else(|| unusable("it is not UTF-8"))?;
        let parent = path.parent().ok_or_else(|| unusable("it lies nowhere"))?.to_owned();
        Ok(Self { named: named.to_owned(), name: name.to_owned(), parent, path })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn refuse(&self, why: impl std::fmt::Display) -> Failure {
        Failure::configuration(format!("the folder {} is left as it is: {why}", self.named.display()))
    }

    /// Whether it holds the mark of a demo city.
    pub(super) fn is_made(&self) -> bool {
        self.file(LOGINS).exists()
    }

    /// Keeps other processes from building or throwing away the same demo city. The file of the lock stays beside
    /// the folder: removing it would let two processes hold two files of one name.
    ///
    /// # Errors
    /// Another process that builds, or no right to write beside the folder.
    pub(super) fn reserve(&self) -> Result<Lock, Failure> {
        fs::create_dir_all(&self.parent)
            .map_err(|cause| Failure::configuration(format!("{} cannot be made: {cause}; choose another --dir", self.parent.display())))?;
        Lock::take(&self.parent.join(format!(".{}.building-lock", self.name)), "building this demo city")
    }

    /// Reads the logins.
    ///
    /// # Errors
    /// No demo city in the folder, or a file of another form.
    pub(super) fn logins(&self) -> Result<Demo, Failure> {
        let path = self.file(LOGINS);
        let dir = self.named.display();
        let unreadable = |cause: io::Error| {
            Failure::configuration(format!("{} cannot be read: {cause}; make a demo city with: yijia demo --dir {dir}", path.display()))
        };
        if !fs::metadata(&path).map_err(unreadable)?.is_file() {
            return Err(unreadable(io::Error::other("it is no ordinary file")));
        }
        let text = fs::read_to_string(&path).map_err(unreadable)?;
        serde_json::from_str(&text).map_err(|cause| {
            Failure::configuration(format!(
                "{}:{}: not what this version writes; choose another --dir, or remove the folder by hand if it is a demo city",
                path.display(),
                cause.line()
            ))
        })
    }

    /// Refuses a demo city whose database has gone.
    pub(super) fn need_database(&self) -> Result<(), Failure> {
        if self.file("yijia.db").exists() {
            return Ok(());
        }
        let dir = self.named.display();
        Err(Failure::configuration(format!(
            "the folder {dir} is that of a demo city, but its database yijia.db has gone; make a new one with: yijia demo --dir {dir} --reset"
        )))
    }

    /// Builds a demo city beside its place and moves it there; `fill` writes its files and answers what goes into
    /// the file of logins. The caller holds the reservation.
    ///
    /// # Errors
    /// A folder that holds something else, or one that cannot be written.
    pub(super) async fn build<F>(&self, fill: impl FnOnce(PathBuf) -> F) -> Result<(), Failure>
    where
        F: Future<Output = Result<Demo, Failure>>,
    {
        let io = |what: &Path, cause: io::Error| {
            Failure::refused(format!("the demo city cannot be made: {}: {cause}; choose another --dir", what.display()))
        };
        self.need_room()?;
        self.remove_leftovers();
        let fresh = self.parent.join(format!("{}{}", self.fresh_prefix(), std::process::id()));
        fs::create_dir(&fresh).map_err(|cause| io(&fresh, cause))?;
        let built = async {
            let mark = Lock::take(&fresh.join(MARK), "building")?;
            let demo = fill(fresh.clone()).await?;
            let text = serde_json::to_string_pretty(&demo).map_err(|cause| Failure::refused(cause.to_string()))?;
            write_private(&fresh.join(LOGINS), &text).map_err(|cause| io(&fresh.join(LOGINS), cause))?;
            fs::rename(&fresh, &self.path).map_err(|cause| io(&self.path, cause))?;
            Ok(mark)
        };
        let outcome: Result<Lock, Failure> = built.await;
        match outcome {
            // The mark goes after the move: without it a folder that was left half way would stay for good.
            Ok(_mark) => fs::remove_file(self.file(MARK)).map_err(|cause| io(&self.file(MARK), cause)),
            Err(failure) => {
                // It was made above; what is left of it is of no use, and the failure itself is what counts.
                drop(fs::remove_dir_all(&fresh));
                Err(failure)
            }
        }
    }

    fn fresh_prefix(&self) -> String {
        format!(".{}.building-", self.name)
    }

    /// The place must be free or an empty folder, and not the one that the caller stands in, which would be
    /// replaced under it.
    fn need_room(&self) -> Result<(), Failure> {
        if !self.path.exists() {
            return Ok(());
        }
        if self.entries()?.is_empty() {
            return self.need_elsewhere();
        }
        Err(self.refuse("it is not empty and holds no demo city; choose another --dir, or empty it"))
    }

    fn need_elsewhere(&self) -> Result<(), Failure> {
        let here = std::env::current_dir().and_then(fs::canonicalize);
        if here.is_ok_and(|here| here == self.path) {
            return Err(self.refuse("it is the current one and cannot be replaced; go to its parent, or name a folder such as --dir demo"));
        }
        Ok(())
    }

    /// Removes what processes that have gone left unfinished: folders with our mark that nobody holds any more.
    /// What cannot be removed is in nobody's way.
    fn remove_leftovers(&self) {
        let prefix = self.fresh_prefix();
        let ours = |entry: &DirEntry| {
            let name = entry.file_name();
            let process = name.to_str().and_then(|name| name.strip_prefix(&prefix));
            process.is_some_and(|process| process.parse::<u32>().is_ok()) && entry.file_type().is_ok_and(|kind| kind.is_dir())
        };
        for entry in fs::read_dir(&self.parent).into_iter().flatten().flatten().filter(ours) {
            let mark = entry.path().join(MARK);
            if fs::symlink_metadata(&mark).is_ok_and(|found| found.is_file()) && Lock::take(&mark, "removing").is_ok() {
                drop(fs::remove_dir_all(entry.path()));
            }
        }
    }

    /// Removes a demo city, but nothing that is not one and none that is being served. The caller holds the
    /// reservation.
    ///
    /// # Errors
    /// A folder with anything else in it, a live city, a city that cannot be told, another process at work in it.
    pub(super) async fn throw_away(&self) -> Result<(), Failure> {
        if !self.path.exists() {
            return Ok(());
        }
        self.need_elsewhere()?;
        if !self.is_made() {
            return if self.entries()?.is_empty() { Ok(()) } else { Err(self.refuse("it holds no demo city; choose another --dir")) };
        }
        self.logins()?;
        self.need_known_files()?;
        let _locks = [Lock::take(&self.file("lock"), "reset")?, Lock::take(&self.file("lock-work"), "reset")?];
        self.need_demo_mode().await?;
        for name in FILES {
            let file = self.file(name);
            match fs::remove_file(&file) {
                Ok(()) => {}
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
                Err(cause) => return Err(Failure::refused(format!("{} cannot be removed: {cause}", file.display()))),
            }
        }
        fs::remove_dir(&self.path)
            .map_err(|cause| Failure::refused(format!("the folder {} cannot be removed: {cause}", self.named.display())))
    }

    fn entries(&self) -> Result<Vec<DirEntry>, Failure> {
        fs::read_dir(&self.path).and_then(Iterator::collect).map_err(|cause| self.refuse(format!("{cause}; choose another --dir")))
    }

    fn need_known_files(&self) -> Result<(), Failure> {
        for entry in self.entries()? {
            let known = entry.file_name().to_str().is_some_and(|name| FILES.contains(&name));
            if !known || entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let name = entry.file_name().display().to_string();
                return Err(self.refuse(format!("it holds {name}, which is no part of a demo city; move that away first")));
            }
        }
        Ok(())
    }

    /// Asks the database itself, whatever version wrote it and whatever its keys are. A database that has gone
    /// cannot be lost.
    async fn need_demo_mode(&self) -> Result<(), Failure> {
        if !self.file("yijia.db").exists() {
            return Ok(());
        }
        match read_mode(&self.file("yijia.db")).await {
            Ok(mode) if mode == CityMode::Demo.to_string() => Ok(()),
            Ok(_) => Err(self.refuse("its database is that of a live city; use: yijia serve --dir")),
            Err(why) => {
                let cure = "remove the folder by hand if it is a demo city, or choose another --dir";
                Err(self.refuse(format!("its database does not tell whether it is a demo city ({why}); {cure}")))
            }
        }
    }
}

/// The absolute form of a path to nothing: that of its parent, if there is one, and its name.
fn of_missing(named: &Path) -> io::Result<PathBuf> {
    let path: PathBuf = std::path::absolute(named)?.components().collect();
    match (path.parent().map(fs::canonicalize), path.file_name()) {
        (Some(Ok(parent)), Some(name)) => Ok(parent.join(name)),
        (_, None) => Err(io::Error::other("it does not end in a name")),
        (Some(Err(_)) | None, Some(_)) => Ok(path),
    }
}

/// The mode of the one city of a database, as it is written there.
async fn read_mode(file: &Path) -> Result<String, String> {
    let text = file.to_str().ok_or("its path is not UTF-8")?;
    let mut options = ConnectOptions::new(format!("sqlite:{}?mode=ro", text.replace('%', "%25").replace('?', "%3F")));
    options.max_connections(1).sqlx_logging(false);
    let database = sea_orm::Database::connect(options).await.map_err(|cause| cause.to_string())?;
    let query = Statement::from_string(DbBackend::Sqlite, "SELECT mode FROM city");
    let rows = database.query_all_raw(query).await.map_err(|cause| cause.to_string());
    let modes = rows.and_then(|rows| {
        rows.iter().map(|row| row.try_get::<String>("", "mode")).collect::<Result<Vec<_>, _>>().map_err(|cause| cause.to_string())
    });
    database.close().await.map_err(|cause| cause.to_string())?;
    match modes?.as_slice() {
        [mode] => Ok(mode.clone()),
        [] => Err("it holds no city".to_owned()),
        [_, _, ..] => Err("it holds several cities".to_owned()),
    }
}

/// Writes the planted frauds beside the city.
///
/// # Errors
/// A folder that cannot be written.
pub(crate) fn write_answers(dir: &Path, answers: &Answers) -> Result<(), Failure> {
    let refuse = |cause: &dyn std::fmt::Display| Failure::refused(format!("the answers cannot be written to {}: {cause}", dir.display()));
    let text = serde_json::to_string_pretty(answers).map_err(|cause| refuse(&cause))?;
    write_private(&dir.join(ANSWERS), &text).map_err(|cause| refuse(&cause))?;
    write_private(&dir.join(ANSWERS_SHEET), &answers.to_csv()).map_err(|cause| refuse(&cause))
}

/// Writes the logins of a city that was made elsewhere than in a folder of its own.
///
/// # Errors
/// A folder that cannot be written.
pub(crate) fn write_logins(dir: &Path, demo: &Demo) -> Result<(), Failure> {
    let refuse = |cause: &dyn std::fmt::Display| Failure::refused(format!("the logins cannot be written to {}: {cause}", dir.display()));
    let text = serde_json::to_string_pretty(demo).map_err(|cause| refuse(&cause))?;
    write_private(&dir.join(LOGINS), &text).map_err(|cause| refuse(&cause))
}

/// Waits until a file that was built without syncing is on the disk.
///
/// # Errors
/// A file that cannot be synced.
pub(super) fn sync(file: &Path) -> Result<(), Failure> {
    let synced = fs::File::open(file).and_then(|file| file.sync_all());
    synced.map_err(|cause| Failure::refused(format!("{} cannot be kept: {cause}", file.display())))
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.sync_all()
}
