//! `yijia-bench`: measures the program on this machine and prints the figures; nothing is judged.
//!
//! Everything runs on the loopback and in temporary folders, one measurement after the other. With `--peers DIR` the
//! scripts of that folder that measure the same thing run beside it, and the ratio is printed.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use clap::Parser;
use domain::access::Actor;
use store::{CityMode, Database, KeyRing, Source, Store, SystemClock, command::city::FoundCity, delivery::TakeTick};

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_mins(3);
/// Writers at one time.
const WRITERS: u64 = 32;
/// How long each writing measurement lasts.
const WRITING: Duration = Duration::from_secs(4);
/// Rows of the sheet of item scores.
const SCORES: usize = 100_000;

/// Measures start, memory, writing and assessing, and prints one figure a line.
#[derive(Debug, Parser)]
#[command(name = "yijia-bench", after_help = "Example:\n  make bench PEERS=../shared/bench")]
struct Args {
    /// The program to measure
    #[arg(long, default_value = "target/release/yijia")]
    yijia: PathBuf,
    /// Folder with the peers' scripts
    #[arg(long)]
    peers: Option<PathBuf>,
}

fn main() -> ExitCode {
    match bench(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            tell(&format!("The measurement stopped: {cause:#}"));
            ExitCode::FAILURE
        }
    }
}

fn bench(args: &Args) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    measure_service(&args.yijia, folder.path())?;
    measure_assessing(&args.yijia, folder.path())?;
    let together = measure_writing(folder.path())?;
    let Some(peers) = &args.peers else {
        tell("peers: not measured; name the folder of their scripts with PEERS=DIR");
        return Ok(());
    };
    compare_commits(peers, folder.path(), together)
}

/// Makes a demo city, then starts on it anew.
fn measure_service(yijia: &Path, folder: &Path) -> anyhow::Result<()> {
    let city = folder.join("demo");
    let begun = Instant::now();
    Server::start(yijia, &city)?.stop()?;
    tell(&format!("demo city, made and served: {:.2} s", begun.elapsed().as_secs_f64()));
    let mut starts = Vec::new();
    for _ in 0..5 {
        let begun = Instant::now();
        let server = Server::start(yijia, &city)?;
        starts.push(begun.elapsed());
        if starts.len() == 5 {
            // Workers look at the database once a second.
            std::thread::sleep(Duration::from_secs(5));
            tell(&format!("idle memory: {} MB", server.memory_kib()? / 1024));
        }
        server.stop()?;
    }
    starts.sort_unstable();
    let [_, _, median, _, slowest] = starts.as_slice() else { bail!("five starts were measured") };
    tell(&format!("cold start on an existing city: {} ms (median of 5; slowest {} ms)", median.as_millis(), slowest.as_millis()));
    Ok(())
}

/// A demo city that is being served.
struct Server(Child);

impl Server {
    /// Starts it, and waits until the city can be used.
    fn start(yijia: &Path, city: &Path) -> anyhow::Result<Self> {
        // The port is free until somebody else takes it, which the start would tell.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new(yijia);
        command.arg("demo").arg("--dir").arg(city).args(["--listen", &address.to_string()]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut server = Self(child.with_context(|| format!("{} does not start; build it with: make bench", yijia.display()))?);
        let begun = Instant::now();
        while !is_ready(address) {
            if let Some(status) = server.0.try_wait()? {
                let mut said = String::new();
                server.0.stderr.take().context("its errors")?.read_to_string(&mut said)?;
                bail!("it ended with {status}: {said}");
            }
            ensure!(begun.elapsed() < PATIENCE, "it is not ready after {} s", PATIENCE.as_secs());
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(server)
    }

    fn memory_kib(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("this system tells no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    fn stop(mut self) -> anyhow::Result<()> {
        ensure!(Command::new("kill").arg(self.0.id().to_string()).status()?.success(), "it cannot be stopped");
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `stop` it has gone already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_millis(200))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line)
    };
    ask().is_ok_and(|line| line.contains(" 200 "))
}

fn measure_assessing(yijia: &Path, folder: &Path) -> anyhow::Result<()> {
    let items: Vec<_> = domain::assessment::ITEMS.iter().map(|item| item.code).collect();
    let mut sheet = format!("resident_id,{},coma,dementia,mental_disorder,risk_events_30d\n", items.join(","));
    let scores = vec!["1"; items.len()].join(",");
    for row in 0..SCORES {
        sheet.push('r');
        sheet.push_str(&row.to_string());
        sheet.push(',');
        sheet.push_str(&scores);
        sheet.push_str(",0,0,0,0\n");
    }
    let file = folder.join("scores.csv");
    std::fs::write(&file, sheet)?;
    let begun = Instant::now();
    let status = Command::new(yijia).arg("assess").arg(&file).stdout(Stdio::null()).status()?;
    ensure!(status.success(), "yijia assess ended with {status}");
    let seconds = begun.elapsed().as_secs_f64();
    tell(&format!("assessments from a sheet: {SCORES} in {seconds:.2} s"));
    Ok(())
}

/// Durable writes through the write door on SQLite: one writer after the other, then many at one time. Answers the
/// rate of the latter.
fn measure_writing(folder: &Path) -> anyhow::Result<u64> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let url = format!("sqlite:{}", folder.join("writes.db").display());
    runtime.block_on(async {
        let database = Database::connect(&url, 4).await?;
        database.migrate().await?;
        let store = database.open(KeyRing::from_random([7; 64])).await?;
        let source = Source::system(Arc::new(SystemClock::default()));
        let found = FoundCity { scope: "1201".parse()?, mode: CityMode::Live, clock_offset_seconds: 0 };
        store.write(source.context(Actor::System("bench")), found).await?;
        let alone = write_for(&store, &source, 1, "alone").await?;
        let together = write_for(&store, &source, WRITERS, "together").await?;
        tell(&format!("durable writes a second, SQLite, one writer: {alone}"));
        tell(&format!(
            "durable writes a second, SQLite, {WRITERS} writers committed together: {together} ({} times)",
            ratio(together, alone)
        ));
        store.close().await?;
        Ok(together)
    })
}

/// Writes by so many writers, each after its own answer; how many are acknowledged a second.
async fn write_for(store: &Store, source: &Source, writers: u64, name: &str) -> anyhow::Result<u64> {
    let (count, begun) = (AtomicU64::new(0), Instant::now());
    let writer = |number: u64| {
        // A few names, once for each process.
        let job: &'static str = Box::leak(format!("{name}-{number}").into_boxed_str());
        let count = &count;
        async move {
            while begun.elapsed() < WRITING {
                let period = format!("{:012}", count.fetch_add(1, Ordering::Relaxed));
                ensure!(store.write(source.context(Actor::System("bench")), TakeTick { job, period }).await?, "each is new");
            }
            Ok(())
        }
    };
    futures::future::try_join_all((0..writers).map(writer)).await?;
    Ok(count.load(Ordering::Relaxed) / begun.elapsed().as_secs().max(1))
}

/// The same file system under a program that commits each booking by itself.
fn compare_commits(peers: &Path, folder: &Path, together: u64) -> anyhow::Result<()> {
    tell("peers of eligibility, settlement, booking over HTTP and queues: not measured, because no command here does the same yet");
    let script = peers.join("sqlite_commits.py");
    if !script.is_file() {
        tell(&format!("peer of durable writes: not measured, there is no {}", script.display()));
        return Ok(());
    }
    let ran = match Command::new("python3").arg(&script).arg(folder).output() {
        Ok(ran) if ran.status.success() => String::from_utf8(ran.stdout)?,
        Ok(ran) => bail!("{} failed: {}", script.display(), String::from_utf8_lossy(&ran.stderr)),
        Err(cause) => {
            tell(&format!("peer of durable writes: not measured, python3 does not start: {cause}"));
            return Ok(());
        }
    };
    let line = ran.lines().find(|line| line.starts_with("synchronous=FULL")).context("the script prints another form now")?;
    tell(&format!("peer, {line}"));
    let commits = line.split_whitespace().nth(1).and_then(|word| word.parse::<u64>().ok()).context("no number of commits")?;
    tell(&format!("{WRITERS} writers committed together, to the peer's one commit for each row: {} times", ratio(together, commits)));
    Ok(())
}

/// Writes a line; a reader who has gone is no fault of the measurement.
fn tell(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// A quotient with two decimals.
fn ratio(of: u64, to: u64) -> String {
    let hundredths = of.saturating_mul(100) / to.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
