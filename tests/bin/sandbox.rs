//! `yijia-sandbox`: receives what a demo city sends to the outside and shows it. For one machine, never for a live
//! city: it delivers nothing.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use clap::Parser;
use tests::sandbox::Sandbox;
use tokio::net::TcpListener;

/// Receives mail and text messages of a demo city and shows them on a page. Delivers nothing to anybody.
#[derive(Debug, Parser)]
#[command(
    name = "yijia-sandbox",
    version,
    after_help = "Examples:\n  yijia-sandbox\n  YIJIA_MAIL_URL=smtp://127.0.0.1:8625 YIJIA_TEXT_MAIL='{number}@text.sandbox.localhost' yijia demo"
)]
struct Arguments {
    /// Where mail is received
    #[arg(long, default_value = "127.0.0.1:8625")]
    mail: SocketAddr,
    /// Where the page is shown
    #[arg(long, default_value = "127.0.0.1:8680")]
    page: SocketAddr,
    /// End when the process that started it has gone
    #[arg(long)]
    with_parent: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    anyhow::ensure!(arguments.mail.ip().is_loopback() && arguments.page.ip().is_loopback(), "a sandbox listens on this machine alone");
    let mail =
        TcpListener::bind(arguments.mail).await.with_context(|| format!("{} cannot be used; choose another --mail", arguments.mail))?;
    let page =
        TcpListener::bind(arguments.page).await.with_context(|| format!("{} cannot be used; choose another --page", arguments.page))?;
    say(&format!("sandbox: messages are shown on http://{}/ and go nowhere", arguments.page))?;
    let sandbox = Sandbox::default();
    let pages = sandbox.clone().pages();
    tokio::select! {
        ended = sandbox.receive(mail) => ended?,
        ended = async { axum::serve(page, pages).await } => ended?,
        () = parent_gone(arguments.with_parent) => {}
        ended = tokio::signal::ctrl_c() => ended?,
    }
    Ok(())
}

fn say(line: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// Ready when another process has become the parent; never, if nobody asked for it.
async fn parent_gone(wanted: bool) {
    let first = rustix::process::getppid();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if wanted && rustix::process::getppid() != first {
            return;
        }
    }
}
