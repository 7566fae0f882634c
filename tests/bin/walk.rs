//! `yijia-walk`: walks through a demo city that is being served, and prints each request with its answer.

use std::{io::Write as _, path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use store::SystemClock;
use tests::walk::Walk;

/// How long the walk waits between two looks at what the server's background work does.
const PAUSE: Duration = Duration::from_millis(300);

/// Walks one order from assessment to released subsidy through the JSON API of a demo city, each step by its
/// own role.
#[derive(Debug, Parser)]
#[command(
    name = "yijia-walk",
    after_help = "Example:\n  yijia demo --dir demo        (in another terminal)\n  yijia-walk --dir demo\n  yijia-walk --sandbox http://127.0.0.1:8680   (beside make demo: begins with a code by mail)"
)]
struct Args {
    /// Folder of the demo city
    #[arg(long, default_value = "demo")]
    dir: PathBuf,
    /// Address at which it is served
    #[arg(long, default_value = "http://127.0.0.1:8600")]
    url: String,
    /// Page of the sandbox that receives the demo's mails: begin with signing in by a code
    #[arg(long)]
    sandbox: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match walk(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            tell(&format!("\nThe walk stopped: {cause:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn walk(args: Args) -> anyhow::Result<()> {
    let demo = api::demo::read_logins(&args.dir).map_err(|failure| anyhow::anyhow!("{failure:?}"))?;
    let clock = SystemClock::default();
    // Each walk registers a new resident and a new provider.
    let serial = u32::try_from(clock.unmoved_now().timestamp() % 50_000)?;
    let catch_up = || -> std::pin::Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>> {
        Box::pin(async {
            tokio::time::sleep(PAUSE).await;
            Ok(())
        })
    };
    let mut walk = Walk::new(&args.url, demo, &clock, serial, Box::new(catch_up), Box::new(tell));
    if let Some(sandbox) = &args.sandbox {
        walk.sign_in_by_mail(sandbox).await?;
    }
    walk.run(&["national-voucher-tianjin", "tianjin-home-care"]).await?;
    tell(&format!("\nThe walk is complete. Check the books: yijia verify --dir {}", args.dir.display()));
    Ok(())
}

/// Writes a line; a reader who has gone is no fault of the walk.
fn tell(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}
