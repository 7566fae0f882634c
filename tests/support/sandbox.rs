//! A double of the outside world, for demos and tests on one machine: receives mail by SMTP and shows it. It
//! delivers nothing to anybody.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Json, Router, extract::State, response::Html, routing::get};
use mail_parser::MessageParser;
use serde::Serialize;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// Server part of the addresses to which text messages are sent.
pub const TEXT_SERVER: &str = "text.sandbox.localhost";
/// Longest mail that is taken, in bytes.
const MAIL_LENGTH_MAX: u64 = 1024 * 1024;
/// Mails that are kept; the oldest go first.
const KEPT: usize = 200;
/// How long a client may be silent.
const SILENCE: Duration = Duration::from_mins(1);

/// A mail as its reader sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Received {
    /// `mail`, or `text` for a text message that came as a mail.
    pub kind: &'static str,
    /// Address of the receiver; the number for a text message.
    pub to: String,
    /// Sender as the header says.
    pub from: String,
    /// Subject.
    pub subject: String,
    /// Text.
    pub text: String,
}

/// The mails that came.
#[derive(Debug, Clone, Default)]
pub struct Sandbox {
    received: Arc<Mutex<Vec<Received>>>,
}

impl Sandbox {
    /// The mails that came, the newest first.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }

    /// Receives mail until the listener fails.
    ///
    /// # Errors
    /// The listener failed.
    pub async fn receive(self, listener: TcpListener) -> std::io::Result<()> {
        loop {
            let (stream, _peer) = listener.accept().await?;
            let sandbox = self.clone();
            tokio::spawn(async move {
                // A client that goes away in the middle has sent nothing.
                drop(tokio::time::timeout(SILENCE, sandbox.converse(stream)).await);
            });
        }
    }

    /// One conversation, after RFC 5321 as far as a client needs it that sends one mail.
    async fn converse(&self, stream: TcpStream) -> std::io::Result<()> {
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader.take(MAIL_LENGTH_MAX));
        writer.write_all(b"220 yijia-sandbox\r\n").await?;
        let mut receivers = Vec::new();
        while let Some(line) = line_of(&mut lines).await? {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let verb = line.get(..4).unwrap_or(&line).to_ascii_uppercase();
            let reply: &[u8] = match verb.as_str() {
                "EHLO" => b"250-yijia-sandbox\r\n250 8BITMIME\r\n",
                "HELO" | "MAIL" | "RSET" | "NOOP" => b"250 ok\r\n",
                "RCPT" => {
                    receivers
                        .extend(line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(address, _)| address.to_owned()));
                    b"250 ok\r\n"
                }
                "DATA" => b"354 end with a dot on a line of its own\r\n",
                "QUIT" => b"221 bye\r\n",
                _ => b"502 not known here\r\n",
            };
            writer.write_all(reply).await?;
            if verb == "DATA" {
                let mail = mail_of(&mut lines).await?;
                self.keep(&mail, &receivers);
                receivers.clear();
                writer.write_all(b"250 kept\r\n").await?;
            }
            if verb == "QUIT" {
                break;
            }
        }
        Ok(())
    }

    fn keep(&self, mail: &[u8], receivers: &[String]) {
        let Some(parsed) = MessageParser::default().parse(mail) else { return };
        let from = parsed.from().and_then(|from| from.first()).and_then(|from| from.address()).unwrap_or_default().to_owned();
        let text = parsed.body_text(0).unwrap_or_default().trim_end().to_owned();
        let subject = parsed.subject().unwrap_or_default().to_owned();
        let mut kept = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        for receiver in receivers {
            let (kind, to) = match receiver.strip_suffix(TEXT_SERVER).and_then(|rest| rest.strip_suffix('@')) {
                Some(number) => ("text", number.to_owned()),
                None => ("mail", receiver.clone()),
            };
            kept.push(Received { kind, to, from: from.clone(), subject: subject.clone(), text: text.clone() });
        }
        let more = kept.len().saturating_sub(KEPT);
        kept.drain(..more);
    }

    /// The page and the list of what came.
    pub fn pages(self) -> Router {
        Router::new()
            .route("/", get(async |State(sandbox): State<Self>| Html(sandbox.page())))
            .route("/messages", get(async |State(sandbox): State<Self>| Json(sandbox.received())))
            .with_state(self)
    }

    fn page(&self) -> String {
        let row = |message: Received| {
            let cells = [message.kind, &message.to, &message.subject, &message.text].map(|cell| format!("<td>{}</td>", escape(cell)));
            format!("<tr>{}</tr>\n", cells.concat())
        };
        let rows = self.received().into_iter().map(row).collect::<Vec<_>>().concat();
        format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"5\"><title>yijia-sandbox</title>\
             <h1>Sandbox: messages that went nowhere</h1><p>This page shows what a demo city sent; nobody else received it.</p>\
             <table border=\"1\" cellpadding=\"6\"><tr><th>Kind<th>To<th>Subject<th>Text</tr>\n{rows}</table></html>"
        )
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

type Lines = BufReader<tokio::io::Take<tokio::net::tcp::OwnedReadHalf>>;

async fn line_of(lines: &mut Lines) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = lines.read_until(b'\n', &mut line).await?;
    Ok((read > 0).then_some(line))
}

/// A mail up to the dot that ends it, without the dots that protect its lines.
async fn mail_of(lines: &mut Lines) -> std::io::Result<Vec<u8>> {
    let mut mail = Vec::new();
    while let Some(line) = line_of(lines).await? {
        match line.as_slice() {
            b".\r\n" | b".\n" => return Ok(mail),
            [b'.', rest @ ..] => mail.extend_from_slice(rest),
            other => mail.extend_from_slice(other),
        }
    }
    Err(std::io::Error::other("the mail has no end"))
}

/// A sandbox on ports that the system chooses, with the addresses of SMTP and pages.
///
/// # Errors
/// No free port.
pub async fn start() -> std::io::Result<(Sandbox, SocketAddr, SocketAddr)> {
    let sandbox = Sandbox::default();
    let (mail, pages) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
    let addresses = (mail.local_addr()?, pages.local_addr()?);
    tokio::spawn(sandbox.clone().receive(mail));
    let router = sandbox.clone().pages();
    tokio::spawn(async move { axum::serve(pages, router).await });
    Ok((sandbox, addresses.0, addresses.1))
}
